"""Our own exports as a source of a run: every chunk as it was, with its vector, under the document that it was of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.columns.opening import open_table
from embassay.errors import ReadError, UsageError
from embassay.sets.build.origin import Change, New, Origin, recall
from embassay.sets.build.source import SourceOutcome
from embassay.sets.exchange.manifest import DOCUMENTS, Manifest, RowDigest
from embassay.sets.exchange.rows import COLUMNS, chunks_of, source_of
from embassay.sets.state import IMPORTED, SourceRow

if TYPE_CHECKING:
    from embassay.sets.state import Generation, State
    from embassay.stores.base import Store
    from embassay.types import Chunk, Vectors

    Vouch = Callable[[Sequence[Chunk], Vectors], Vectors]


@dataclass(frozen=True, slots=True)
class _Line:
    """A document of the export, and where its line begins: what it says is read again when it is needed."""

    row: SourceRow
    at: int
    number: int


class ExportedChunks:
    """The chunks of an export. Each document is an origin, which ends with the last of its chunks."""

    def __init__(self, folder: Path, manifest: Manifest, vouch: Vouch) -> None:
        """`vouch` makes sure of some vectors before any of them is written, and gives them as they are stored.

        Raises ReadError for an export that is damaged.
        """
        self._folder, self._manifest, self._vouch = folder, manifest, vouch
        self._lines = _documents(folder / DOCUMENTS)
        if len(self._lines) != manifest.documents:
            raise ReadError(f"{folder} is damaged: it has {len(self._lines):,} documents of {manifest.documents:,}")
        self.what = f"{manifest.chunks:,} chunks"
        self.total: int | None = sum(line.row.size for line in self._lines.values())
        self.written = self.unchanged = 0
        self._open: dict[str, Origin] = {}

    def begin(self, state: State, generation: Generation, store: Store) -> None:
        """Hold the export against what the set has already. Raises UsageError where that is not of this export."""
        for row in state.sources(generation):
            line = self._lines.get(row.path)
            if line is None or line.row.digest != row.digest or row.is_on_disk:
                raise UsageError(
                    f"set {generation.set_name!r} is there already, and holds {row.path!r}, which this export has not.",
                    remedy="Import into another set.",
                )
            self._open[row.path] = _origin(line.row, row)
        recall(store, list(self._open.values()))

    def __iter__(self) -> Iterator[Change]:
        with (self._folder / DOCUMENTS).open("rb") as self._again:
            if self._manifest.chunks:
                yield from self._rows()
            yield from self._rest()

    def _rows(self) -> Iterator[Change]:
        digest = RowDigest()
        with open_table(self._folder, self._manifest.format) as table:
            if len(table.vectors) != 1 or not COLUMNS.keys() <= set(table.fields):
                raise ReadError(f"{self._folder} is damaged: it lacks columns")
            (vector,) = table.vectors
            for block in table.blocks(list(COLUMNS), vector):
                chunks = list(chunks_of(block.fields, block.first))
                digest.add(chunks, block.vectors)
                yield from self._changes(chunks, self._vouch(chunks, block.vectors))
        if str(digest) != self._manifest.digest:
            raise ReadError(f"{self._folder} is damaged: its rows are not those that were written")

    def outcome(self) -> SourceOutcome:
        """Counts of documents."""
        return SourceOutcome(len(self._lines))

    def _changes(self, chunks: Sequence[Chunk], vectors: Vectors) -> Iterator[Change]:
        for chunk, vector in zip(chunks, vectors, strict=True):
            line = self._lines.get(chunk.path)
            if line is None:
                raise ReadError(f"{self._folder} is damaged: a chunk is of {chunk.path!r}, which is no document of it")
            origin = self._open.get(chunk.path) or self._open.setdefault(chunk.path, _origin(line.row, None))
            change = origin.take(chunk)
            if isinstance(change, New):
                self.written += 1
                yield replace(change, vector=vector)
            elif change is not None:
                yield change
            if origin.chunks == line.row.chunks:
                yield from self._end(chunk.path)

    def _rest(self) -> Iterator[Change]:
        """The end of documents without chunks."""
        for path, line in [*self._lines.items()]:
            if line.row.chunks:
                raise ReadError(f"{self._folder} is damaged: chunks of {path!r} are missing")
            self._open.setdefault(path, _origin(line.row, None))
            yield from self._end(path)

    def _end(self, path: str) -> Iterator[Change]:
        origin, line = self._open.pop(path), self._lines.pop(path)
        self._again.seek(line.at)
        _, origin.record = source_of(self._again.readline().decode("utf-8", "replace"), line.number)
        yield origin.end()


def _documents(file: Path) -> dict[str, _Line]:
    """Where the line of each document stands, by its path."""
    lines: dict[str, _Line] = {}
    at = 0
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                row, _ = source_of(line.decode("utf-8", "replace"), number)
                if row.path in lines:
                    raise ReadError(f"{file} is damaged: {row.path!r} stands in it twice")
                lines[row.path] = _Line(row, at, number)
                at += len(line)
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror or error}") from error
    return lines


def _origin(said: SourceRow, before: SourceRow | None) -> Origin:
    """What is kept of a document: what was known of it where it was exported, but for when its file changed."""
    origin = Origin(
        said.path,
        before,
        said.size,
        digest=said.digest,
        reader=said.reader if said.is_record else IMPORTED,
        documents=said.documents,
        readable=said.state == "ok",
        chars=said.chars,
        left_chars=said.left_chars,
    )
    for reasons, words in ((origin.unread, said.reason), (origin.left, said.left_out)):
        if words:
            reasons.add(words)
    return origin
