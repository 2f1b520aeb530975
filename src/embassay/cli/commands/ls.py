from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, runs
from embassay.errors import UsageError
from embassay.text import printable

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.sets.records.listing import DocumentInfo
    from embassay.types import Chunk

STATES = ("ok", "pending", "failed")
FIRST_WORDS = 60
"""Characters of a chunk that are shown."""


def command(
    set_name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="The set; default: the one that is meant.", metavar="[SET]"),
    ] = None,
    glob: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Only documents whose path matches, such as 'docs/*.md'.", metavar="[GLOB]"),
    ] = None,
    chunks: Annotated[
        bool, typer.Option("--chunks", help="Each chunk as well: its lines, tokens, section and first words.")
    ] = False,
    where: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILTER", help="Only documents of which a chunk matches, and those chunks."),
    ] = None,
    state: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="STATE", help="Only documents that are ok, pending or failed."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """List what is in a set: each document with its state, chunks, tokens, id and title.

    \b
    embassay ls
    embassay ls docs 'docs/**' --chunks
    embassay ls docs --where 'lang = "de"' --json
    embassay ls docs --state failed
    """
    if state not in (None, *STATES):
        raise UsageError(f"state {state!r} is not one of {', '.join(STATES)}.", remedy=remedy.option("state", "failed"))
    with common.opened_home(home) as opened:
        documents = opened.set(set_name)
        waiting: Counter[str] = Counter()
        found = (one for one in documents.list(glob, where=where) if state in (None, one.state))
        listed = _counted(found, waiting)
        if json:
            rows = [one.to_dict() for one in listed]
            if chunks:
                wanted = {str(one["id"]): one | {"chunk_list": []} for one in rows}
                for chunk in documents.chunks(glob, where=where):
                    if (one := wanted.get(chunk.document)) is not None:
                        one["chunk_list"].append(_fields(chunk))  # type: ignore[attr-defined]
                rows = [*wanted.values()]
            notices = [] if rows else _why_nothing(documents, glob, where, state)
            notices = [*notices, *_waiting(documents, waiting)]
            common.print_json({"set": documents.name, "documents": rows, "notices": notices})
        elif chunks:
            of = groupby(documents.chunks(glob, where=where), key=lambda chunk: chunk.document)
            written = _write(_with_chunks(listed, of))
        else:
            written = _write(map(_line, listed))
        if not (json or written):
            common.tell(_why_nothing(documents, glob, where, state))
        if not json:
            common.tell(_waiting(documents, waiting))


def _counted(listed: Iterator[DocumentInfo], waiting: Counter[str]) -> Iterator[DocumentInfo]:
    """The same documents; the chunks of those that wait are counted as they pass."""
    for one in listed:
        if one.waits:
            waiting[one.id] += one.chunks
        yield one


def _waiting(documents: EmbeddingSet, waiting: Counter[str]) -> list[str]:
    return [runs.waiting(documents.status().own, waiting.total())] if waiting.total() else []


def _why_nothing(documents: EmbeddingSet, glob: str | None, where: str | None, state: str | None) -> Sequence[str]:
    reasons = documents.why_nothing(where, glob=glob)
    return reasons or ([f"No document there has the state '{state}'."] if state else [])


def _write(lines: Iterator[str]) -> int:
    """One after the other, as they come; how many there were."""
    if sys.stdout.isatty():
        sys.stdout.write(f"{'state':<8}{'chunks':>7}{'tokens':>9}  id  title\n")
    count = 0
    for line in lines:
        sys.stdout.write(f"{line}\n")
        count += 1
    return count


def _line(one: DocumentInfo) -> str:
    title = f"  {printable(one.title)}" if one.title else ""
    return f"{one.state:<8}{one.chunks:>7,}{one.tokens:>9,}  {printable(one.id)}{title}"


def _with_chunks(listed: Iterator[DocumentInfo], of: Iterator[tuple[str, Iterator[Chunk]]]) -> Iterator[str]:
    """Each document, and its chunks below it; both come in the same order."""
    wanted = {one.id: one for one in listed}
    for document, chunks in of:
        if (one := wanted.pop(document, None)) is not None:
            yield _line(one)
            yield from map(_chunk_line, chunks)
    yield from map(_line, wanted.values())  # those without a chunk


def _chunk_line(chunk: Chunk) -> str:
    first, last = chunk.lines
    section = f"{printable(chunk.section)}: " if chunk.section else ""
    words = " ".join(chunk.text[: 4 * FIRST_WORDS].split())
    return f"  {f'{first}-{last}':>13}{chunk.tokens:>9,}    {section}{printable(words[:FIRST_WORDS])}"


def _fields(chunk: Chunk) -> dict[str, object]:
    return {
        "key": chunk.key,
        "lines": [*chunk.lines],
        "span": [*chunk.span],
        "section": chunk.section,
        "tokens": chunk.tokens,
        "text": chunk.text,
    }
