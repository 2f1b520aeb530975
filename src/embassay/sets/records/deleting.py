"""Documents out of a set: records for good, and files, which stay on the disk, until they are named again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.sets.build.origin import Ended, Origin, recall
from embassay.sets.build.writer import Writer
from embassay.sets.followers import bring_along
from embassay.sets.moves import on_live
from embassay.sets.noting import note_deleted
from embassay.sets.records.given import read_ids
from embassay.sets.records.source import GROUP, named
from embassay.sets.records.upkeep import keep_fast
from embassay.sets.removal import reason_of
from embassay.sets.state import SourceRow
from embassay.stores.filters.glob import matcher
from embassay.stores.filters.parser import read_filter
from embassay.stores.filters.values import In
from embassay.text import composed

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation, State
    from embassay.stores.base import Snapshot, Store
    from embassay.stores.filters.values import Filter

_WILD = "*?"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which documents are meant: by id, by what their chunks pass, or by a glob of their paths."""

    ids: tuple[str, ...] | None = None
    where: Filter | None = None
    path: str | None = None

    @classmethod
    def of(cls, ids: Iterable[str] | None, where: str | Filter | None, path: str | None) -> Choice:
        """Raises UsageError unless exactly one of the three is given."""
        if sum(one is not None for one in (ids, where, path)) != 1:
            raise UsageError("say which documents to delete, by exactly one of ids, where and path.")
        if path is not None and not (isinstance(path, str) and path.strip()):
            raise UsageError(f"path is {path!r}; it must be a glob, or the path of a folder or a document.")
        return cls(None if ids is None else read_ids(ids), read_filter(where), path)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What would go from a set."""

    documents: int
    chunks: int
    files: int
    """Of the documents' sources, those that are files, which stay on the disk."""
    unknown: tuple[str, ...] = ()
    """Ids that were asked for and are not there."""

    def to_dict(self) -> dict[str, object]:
        """The counts as JSON has them."""
        counts = {name: getattr(self, name) for name in ("documents", "chunks", "files")}
        return counts | {"unknown": [*self.unknown]}


def foreseen(sets: OpenSets, name: str, choice: Choice) -> Deletion:
    """What `delete` would remove. Raises as it does."""
    generation = sets.live(name)
    with closing(sets.folder.store(generation)) as store:
        rows, _ = _chosen(sets.state, generation, store, choice)
    there = {row.path for row in rows}
    return Deletion(
        sum(max(1, row.documents) for row in rows),
        sum(row.chunks for row in rows),
        sum(row.is_on_disk for row in rows),
        tuple(one for one in choice.ids or () if one not in there),
    )


def delete(sets: OpenSets, name: str, choice: Choice) -> int:
    """Remove the documents that are meant from set `name`; how many there were.

    Raises SetNotFound, UsageError, HomeError, StoreError.
    """
    return on_live(lambda: _delete(sets, name, choice))


def _delete(sets: OpenSets, name: str, choice: Choice) -> int:
    generation = sets.live(name)
    with sets.writing(generation) as state:
        store = sets.store(generation)
        rows, glob = _chosen(state, generation, store, choice)
        with Writer(state, generation, store) as writer:
            for end in _ends(rows, store, glob):
                writer.add(end)
        keep_fast(store, len(rows))
        bring_along(sets, state, generation, writer.touched)
        documents = sum(max(1, row.documents) for row in rows)
        note_deleted(state, generation, documents, sum(row.chunks for row in rows))
    return documents


def _ends(rows: Sequence[SourceRow], store: Store, glob: str | None) -> Iterator[Ended]:
    for at in range(0, len(rows), GROUP):
        origins = [_origin(row, glob) for row in rows[at : at + GROUP]]
        recall(store, origins)
        yield from (origin.end() for origin in origins)


def _origin(row: SourceRow, glob: str | None) -> Origin:
    if not row.is_on_disk:
        return Origin(row.path, row, digest=row.digest, reader=row.reader, gone=True)
    return Origin(row.path, row, skipped=reason_of(row.path, glob))


def _chosen(
    state: State, generation: Generation, store: Store, choice: Choice
) -> tuple[Sequence[SourceRow], str | None]:
    """The sources that are meant, and the glob that they went by."""
    if choice.path is not None:
        rows = [row for row in state.sources(generation) if row.state != "skipped"]
        glob = _glob(choice.path, rows)
        matches = matcher(glob).matches
        return [row for row in rows if matches(row.path)], glob
    with store.snapshot() as version:
        if choice.ids is not None:
            return _by_ids(state, generation, version, choice.ids), None
        return _by_filter(state, generation, version, choice.where), None


def _glob(path: str, rows: Sequence[SourceRow]) -> str:
    """The glob that is meant: a folder means all that lies below it."""
    path = composed(path)
    folder = path.rstrip("/").removeprefix("./")
    if folder == ".":
        return "**"
    if any(sign in folder for sign in _WILD) or any(row.path == folder for row in rows):
        return folder
    return f"{folder}/**"


def _by_ids(state: State, generation: Generation, version: Snapshot, ids: Sequence[str]) -> list[SourceRow]:
    found = state.sources_of(generation, ids)
    if unknown := tuple(one for one in ids if one not in found):
        parts = {chunk.document for chunks, _ in version.scan((), In("document", unknown)) for chunk in chunks}
        if parts:
            raise _in_a_file(sorted(parts))
    return [row for row in found.values() if row.state != "skipped"]


def _by_filter(state: State, generation: Generation, version: Snapshot, where: Filter | None) -> list[SourceRow]:
    documents: dict[str, set[str]] = defaultdict(set)
    for chunks, _ in version.scan((), where):
        for chunk in chunks:
            documents[chunk.path].add(chunk.document)
    rows = state.sources_of(generation, list(documents))
    whole = [row.path for row in rows.values() if row.documents > 1 or len(documents[row.path]) > 1]
    all_of: dict[str, set[str]] = defaultdict(set)
    for chunk in version.chunks(whole):
        all_of[chunk.path].add(chunk.document)
    for path in whole:
        if all_of[path] != documents[path]:
            raise _in_a_file(sorted(documents[path]))
    return list(rows.values())


def _in_a_file(documents: Sequence[str]) -> UsageError:
    return UsageError(
        f"these documents are parts of a file, which stays in the set as a whole or not at all: {named(documents)}.",
        remedy="Delete them in the file and index it again, or delete the file by its path.",
    )
