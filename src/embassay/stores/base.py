"""The contract of a store: one file in `backends/`, its name is the store's name.

    def open_store(place: Path, name: str, dimensions: int, *, create: bool = False) -> Store

`place` is a folder that the backend may fill, `name` one collection in it. A collection that is missing is made
with `create`, also over the remains of a creation that was killed; else StoreError is raised. Vectors come in
float32 and ready to be compared by dot product. A store has one writer at a time (the caller holds a lock) and any
number of readers, in this process and others: all reading goes through a snapshot, so one search sees one version.
Foreign exceptions do not escape: raise StoreError, or HomeNotWritable for a full or read-only disk.
`embassay.testing.check_store` runs the conformance suite on any backend. Other packages join through the
entry-point group ``embassay.backends``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.stores.filters import Filter
    from embassay.types import Vectors


@dataclass(frozen=True, slots=True)
class Scored:
    """A row found. `ref` is the backend's own name of it, good within the snapshot that returned it."""

    ref: Hashable
    score: float


@dataclass(frozen=True, slots=True)
class Stats:
    rows: int
    bytes: int
    """On disk; in memory for a store that has no disk."""
    unindexed: dict[str, int]
    """Rows that each index does not cover yet."""


class Snapshot(Protocol):
    """One version of a store, for reading; leaving its ``with`` block gives back what it holds."""

    def __enter__(self) -> Snapshot: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def dense(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """The k rows of greatest dot product with `vector` (dimensions,), best first; `where` applies before k."""
        ...

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Scored]:
        """The k rows of greatest BM25 score, best first; rows that share no word with `query` are left out.

        Every string is a query: there is no syntax, and one without words finds nothing.
        """
        ...

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        """The chunks behind `refs`, in that order."""
        ...

    def count(self, where: Filter | None = None) -> int: ...

    def chunks(self, paths: Iterable[str]) -> Iterator[Chunk]:
        """Every chunk of these files, in any order."""
        ...

    def vectors(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """Vector (dimensions,) of each key that exists."""
        ...

    def scan(self) -> Iterator[tuple[list[Chunk], Vectors]]:
        """The whole store in blocks: chunks and vectors (len(chunks), dimensions)."""
        ...

    def stats(self) -> Stats: ...


class Store(Protocol):
    """A collection of chunks with vectors, by key."""

    dimensions: int

    def upsert(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Insert or replace by key; repeating it changes nothing. Durable on return."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove these keys; unknown ones are passed over."""
        ...

    def snapshot(self) -> Snapshot:
        """The latest version, other processes' writes included."""
        ...

    def optimise(self, *, thorough: bool = False) -> None:
        """Build or extend indexes where that pays, and compact. Safe beside readers.

        `thorough` at the end of a run; without it only what keeps searches fast during one.
        """
        ...

    def drop(self) -> None:
        """Remove the collection and its files."""
        ...
