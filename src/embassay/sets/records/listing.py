"""What is in a set: its documents one by one, and records as they were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.sets.records.given import read_ids
from embassay.sets.state import SourceRow
from embassay.stores.filters.glob import matcher
from embassay.stores.filters.values import In
from embassay.text import composed
from embassay.types import Chunk, Metadata, Record

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.stores.base import Snapshot
    from embassay.stores.filters.values import Filter

BEGINNING = ("", "")
GROUP_PATHS = 2_048
"""Sources whose chunks are looked up at once."""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """One document of a set: a file, a record in a file, or a record that was handed over."""

    id: str
    path: str
    """Of its file; of a record that was handed over, its id."""
    title: str
    chunks: int
    tokens: int
    """Of all its chunks, as the model counts them."""
    state: str
    """``ok``; ``pending`` while it is being written, or waits; ``failed`` where its file cannot be read any more."""
    metadata: Metadata = field(default_factory=dict)
    waits: bool = False
    """Whether it is found by words only, until the set is indexed."""

    def to_dict(self) -> dict[str, object]:
        """The document as JSON has it."""
        names = ("id", "path", "title", "chunks", "tokens", "state", "waits")
        return {name: getattr(self, name) for name in names} | {"metadata": dict(self.metadata)}


def get(sets: OpenSets, name: str, ids: Iterable[str]) -> list[Record]:
    """The documents of these ids, in that order; unknown ones are left out.

    Records are as they were given. Of a document of a file the text is put together from its chunks, so that white
    space between them may differ. Raises SetNotFound, StoreError.
    """
    content = sets.content(name)
    generation = content.generation
    wanted = content.among(read_ids(ids), sets.folder)
    found = sets.state.records.get(generation.id, wanted)
    if others := tuple(one for one in wanted if one not in found):
        with closing(content.store(sets.folder)) as store, store.snapshot() as version:
            parts = _parts(version, others)
        rows = sets.state.sources_of(generation, [chunks[0].path for chunks in parts.values()])
        unwritten = {path for path, row in rows.items() if row.is_record}
        found |= {one: _joined(one, chunks) for one, chunks in parts.items() if chunks[0].path not in unwritten}
    return [found[one] for one in wanted if one in found]


def documents(
    sets: OpenSets, name: str, glob: str | None, where: Filter | None, behind: tuple[str, str] = BEGINNING
) -> Iterator[DocumentInfo]:
    """Every document of a set behind a (path, id), by path; see `EmbeddingSet.list`."""
    content = sets.content(name)
    rows = {row.path: row for row in content.sources(sets.state, sets.folder) if row.state != "skipped"}
    titles = sets.state.records.titles(content.generation.id)
    matches = matcher(composed(glob)).matches if glob is not None else lambda _: True
    with closing(content.store(sets.folder)) as store, store.snapshot() as version:
        if where is None:
            paths = sorted(path for path in rows if path >= behind[0] and matches(path))
            groups = [paths[at : at + GROUP_PATHS] for at in range(0, len(paths), GROUP_PATHS)]
            found: Iterable[list[_Document]] = (_of_paths(version, group) for group in groups)
        else:
            found = [[one for one in _seen(version, where).values() if matches(one.path)]]
        for documents in found:
            for one in sorted(documents, key=lambda one: (one.path, one.id)):
                if (one.path, one.id) > behind:
                    yield one.info(rows, titles)


def chunks(sets: OpenSets, name: str, glob: str | None, where: Filter | None) -> Iterator[Chunk]:
    """Every chunk of a set, in the order of its documents; see `EmbeddingSet.chunks`."""
    content = sets.content(name)
    matches = matcher(composed(glob)).matches if glob is not None else lambda _: True
    with closing(content.store(sets.folder)) as store, store.snapshot() as version:
        if where is not None:
            passing = (chunk for block, _ in version.scan((), where) for chunk in block if matches(chunk.path))
            yield from sorted(passing, key=_place)
            return
        rows = content.sources(sets.state, sets.folder)
        paths = sorted(row.path for row in rows if row.state != "skipped" and matches(row.path))
        for at in range(0, len(paths), GROUP_PATHS):
            yield from sorted(version.chunks(paths[at : at + GROUP_PATHS]), key=_place)


def nothing(sets: OpenSets, name: str, where: Filter | None, glob: str | None) -> list[str]:
    """Why no document of a set is found; see `EmbeddingSet.why_nothing`."""
    from embassay.stores.unmet import why_nothing

    content = sets.content(name)
    paths = [row.path for row in content.sources(sets.state, sets.folder) if row.state != "skipped"]
    if glob is not None and paths:
        matches = matcher(composed(glob)).matches
        if not any(map(matches, paths)):
            return [_unmatched(glob, paths, name)]
    with closing(content.store(sets.folder)) as store, store.snapshot() as version:
        found = why_nothing(version, where, name)
        if found or where is None or glob is None:
            return found
        passing = (chunk for chunks, _ in version.scan((), where) for chunk in chunks)
        met = any(matches(chunk.path) for chunk in passing)
    return [] if met else [f"No document of the set {name!r} whose path matches {glob!r} passes the filter."]


def _unmatched(glob: str, paths: Sequence[str], name: str) -> str:
    """That no path matches, and one that does, or would with what is left out in front of it."""
    tail = composed(glob).strip("/").removeprefix("./")
    near = [matcher(f"**/{tail}").matches, matcher(f"**/{tail}/**").matches]
    example = next((path for path in paths if any(matches(path) for matches in near)), paths[0])
    return f"No document of the set {name!r} has a path that matches {glob!r}; there are paths such as {example!r}."


def _place(chunk: Chunk) -> tuple[str, str, tuple[int, int]]:
    return chunk.path, chunk.document, chunk.span


@dataclass(slots=True)
class _Document:
    """What the chunks of one document add up to."""

    id: str
    path: str
    chunks: int = 0
    tokens: int = 0
    passes: bool = False
    section: str = ""
    start: int = -1
    metadata: Metadata = field(default_factory=dict)

    def add(self, chunk: Chunk) -> None:
        self.chunks += 1
        self.tokens += chunk.tokens
        if self.start < 0 or chunk.span[0] < self.start:
            self.start, self.section, self.metadata = chunk.span[0], chunk.section, chunk.metadata

    def info(self, rows: Mapping[str, SourceRow], titles: Mapping[str, str]) -> DocumentInfo:
        row = rows.get(self.path)
        if row is not None and row.is_record:
            title = titles.get(self.id, "")
        else:
            title = str(self.metadata.get("title") or self.section.split(" > ")[0])
        state = row.state if row else "pending"
        return DocumentInfo(
            self.id, self.path, title, self.chunks, self.tokens, state, self.metadata, bool(row and row.waits)
        )  # fmt: skip


def _of_paths(version: Snapshot, paths: Sequence[str]) -> list[_Document]:
    """The documents of some sources; one of which no chunk is there has none."""
    found = _gathered(version.chunks(paths))
    held = {one.path for one in found.values()}
    return [*found.values(), *(_Document(path, path) for path in paths if path not in held)]


def _seen(version: Snapshot, where: Filter) -> dict[str, _Document]:
    """The documents of which a chunk passes; each counts with all its chunks."""
    passing = {(chunk.document, chunk.path) for chunks, _ in version.scan((), where) for chunk in chunks}
    chunks = version.chunks({path for _, path in passing})
    return _gathered(chunk for chunk in chunks if (chunk.document, chunk.path) in passing)


def _gathered(chunks: Iterable[Chunk]) -> dict[str, _Document]:
    found: dict[str, _Document] = {}
    for chunk in chunks:
        found.setdefault(chunk.document, _Document(chunk.document, chunk.path)).add(chunk)
    return found


def _parts(version: Snapshot, ids: tuple[str, ...]) -> dict[str, list[Chunk]]:
    """The chunks of documents."""
    parts: dict[str, list[Chunk]] = {}
    for chunks, _ in version.scan((), In("document", ids)):
        for chunk in chunks:
            parts.setdefault(chunk.document, []).append(chunk)
    return parts


def _joined(document: str, chunks: list[Chunk]) -> Record:
    chunks.sort(key=lambda chunk: chunk.span)
    text, end = "", chunks[0].span[0]
    for chunk in chunks:
        between = chunk.span[0] - end
        text += ("", " ")[between] if between < 2 else "\n\n"
        text += chunk.text
        end = chunk.span[1]
    first = chunks[0]
    title = str(first.metadata.get("title") or first.section.split(" > ")[0])
    return Record(document, text, title, first.metadata)
