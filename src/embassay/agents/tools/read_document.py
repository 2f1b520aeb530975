"""Read a document of a set as it was indexed: all of it, some of its lines, or one of its sections. Use it to read on
around a passage that search found. A long document comes in parts: call again with `start` set to `next` of the reply
before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from embassay.agents.base import MOST_ASKED, MOST_CHARS, MOST_HITS, MOST_OF_A_FIELD, Desk, clipped
from embassay.errors import UsageError
from embassay.stores.filters.values import Compare
from embassay.text import did_you_mean
from embassay.types import Chunk

TITLE = "Read a document"
WRITES = False
SHOWN_SECTIONS = 20
Line = Annotated[int, Meta(ge=1)]


class Arguments(Struct, forbid_unknown_fields=True):
    """Which document, and what of it."""

    id: Annotated[str, Meta(description="The document, as `document` of a passage names it.", min_length=1)]
    set: Annotated[str | None, Meta(description="The set that it is in; default: the home's.")] = None
    from_line: Annotated[Line | None, Meta(description="The first line that is wanted.")] = None
    to_line: Annotated[Line | None, Meta(description="The last line that is wanted.")] = None
    section: Annotated[
        str | None, Meta(description="A heading: only the passages that are below it, or have it inside.")
    ] = None
    start: Annotated[int, Meta(description="The passage to begin with, of those that are wanted.", ge=1)] = 1
    max_chars: Annotated[int, Meta(description="Characters, at most.", ge=200, le=MOST_ASKED)] = MOST_CHARS


class ReadPart(Struct, omit_defaults=True):
    """A passage, with where it stands."""

    lines: Annotated[Sequence[int], Meta(description="First and last line in the document.")]
    text: str
    section: str = ""
    cut: Annotated[bool, Meta(description="Whether it is longer than max_chars.")] = False


class Reply(Struct, omit_defaults=True):
    """What the document says there."""

    document: str
    path: str
    set: str
    passages: Annotated[int, Meta(description="How many passages are wanted, in all parts.")]
    lines: Annotated[Sequence[int], Meta(description="First and last line of the whole document.")]
    parts: Annotated[Sequence[ReadPart], Meta(description="The passages in their order.")]
    next: Annotated[int | UnsetType, Meta(description="Where to start for the next part; missing at the end.")] = UNSET


def run(desk: Desk, arguments: Arguments) -> Reply:
    """The passages that are wanted, as many as fit, but at least one."""
    with desk.reading(arguments.set) as of_set:
        chunks = sorted(of_set.chunks(where=Compare("document", "=", arguments.id)), key=lambda one: one.span)
    if not chunks:
        raise UsageError(
            f"the set {of_set.name!r} has no document {arguments.id[:200]!r}.",
            remedy="The passages of a search name their documents.",
        )
    wanted = _wanted(chunks, arguments)
    parts, left = list[ReadPart](), arguments.max_chars
    for chunk in wanted[arguments.start - 1 :][:MOST_HITS]:
        if parts and len(chunk.text) > left:
            break
        text, cut = clipped(chunk.text, left)
        left -= len(text)
        parts.append(ReadPart(chunk.lines, text, clipped(chunk.section, MOST_OF_A_FIELD)[0], cut))
    if not parts:
        raise UsageError(f"there are {len(wanted):,} passages, and none to start with at {arguments.start:,}.")
    after = arguments.start + len(parts)
    return Reply(
        document=arguments.id,
        path=chunks[0].path,
        set=of_set.name,
        passages=len(wanted),
        lines=(min(one.lines[0] for one in chunks), max(one.lines[1] for one in chunks)),
        parts=parts,
        next=after if after <= len(wanted) else UNSET,
    )


def _wanted(chunks: Sequence[Chunk], arguments: Arguments) -> list[Chunk]:
    """The chunks that have some of these lines, below this heading. Raises UsageError where there are none."""
    first, last = arguments.from_line or 1, arguments.to_line
    among = [one for one in chunks if one.lines[1] >= first and (last is None or one.lines[0] <= last)]
    if not among:
        end = max(one.lines[1] for one in chunks)
        raise UsageError(
            f"the document has the lines 1 to {end:,}; none of {first:,} to {last or end:,} says anything."
        )
    if arguments.section is None:
        return among
    below = [one for one in among if _is_below(one, arguments.section)]
    if not below:
        known = list(dict.fromkeys(one.section for one in among if one.section))
        near = did_you_mean(arguments.section, known)
        shown = "; ".join(known[:SHOWN_SECTIONS]) or "none"
        raise UsageError(
            f"no section there is called {arguments.section[:200]!r}.", remedy=near or f"There are: {shown}."
        )
    return below


def _is_below(chunk: Chunk, heading: str) -> bool:
    """Whether a chunk is below a heading, or has it inside: short sections stand together in one."""
    wanted, section = heading.casefold().strip(), chunk.section.casefold()
    if wanted in (section, *(one.strip() for one in section.split(" > "))):
        return True
    return any(line.strip("#=* ") == wanted for line in chunk.text.casefold().splitlines())
