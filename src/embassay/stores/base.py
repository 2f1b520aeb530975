"""The contract of a store: one file in `backends/`, which offers what `Backend` lists; its name is the store's name.

A store has one writer at a time (the caller holds a lock) and any number of readers, in this process and others. All
reading goes through a snapshot, so that one search sees one version. Threads may share a store; a snapshot is used by
one thread at a time. Foreign exceptions do not escape: StoreError is raised, or HomeNotWritable for a full or
read-only disk. `embassay.testing.check_store` runs the conformance suite on any backend. Other packages join through
the entry-point group ``embassay.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from embassay.errors import StoreError
from embassay.stores.values import VECTOR, Capabilities, Collection, KeptCollection, Scored, Stats, WeightedTexts
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.filters.values import Filter
    from embassay.types import Vectors

Settings = TypeVar("Settings")
"""Where a backend's stores are and how they work: a small frozen dataclass that each backend defines."""


class Snapshot(AbstractContextManager["Snapshot"], Protocol):
    """One version of a store, for reading. Leaving its ``with`` block gives back what it holds.

    It is not used after that. A label that the collection does not have is a StoreError.
    """

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        """The k rows of greatest dot product with `vector` (dimensions,), best first; `where` applies before k.

        Neither side is scaled. Where the label is compared by cosine both have length 1, and the score is the cosine.
        """

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        """The k rows of greatest BM25 score, best first; rows that share no term with `query` are left out.

        The terms of a row are what the collection's analyser makes of its `indexed` text, and those asked for are
        ``collection.asked(query)``; a store cuts nothing itself. The score is that of Lucene since version 8, which has
        no factor of k1 + 1, with the constants of `embassay.stores.values`; what each term adds to it is multiplied by
        the weight of the term. Every string is a query: there is no syntax, and one without terms finds nothing.
        Raises StoreError where a store cannot weigh the words of titles as `query` wants it.
        """

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        """float32 (len(refs),): the dot product of `vector` with each of these rows, exact to rounding, as `dense`
        gives it; nan for a ref that names no row of this version."""

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        """float32 (len(refs),): the BM25 score of each of these rows, as `lexical` gives it without a filter; 0 for a
        row that shares no term with `query`, and for a ref that names no row of this version."""

    def coarse(
        self,
        vector: Vectors,  # noqa: ARG002
        k: int,  # noqa: ARG002
        form: CoarseForm,  # noqa: ARG002
        where: Filter | None = None,  # noqa: ARG002
        *,
        label: str = VECTOR,  # noqa: ARG002
    ) -> list[Scored]:
        """The k rows whose coarse vectors have the greatest product with that of `vector` (dimensions,), best first.

        Both are what `form` makes of whole vectors, and so is the score. Raises StoreError where a store cannot.
        """
        raise StoreError("this store searches no coarse vectors.", remedy="Search with dense in place of coarse.")

    def vocabulary(self) -> Mapping[str, int]:
        """Every term that a row has, as the collection's analyser makes it, and how many rows have it; best
        a `embassay.words.near.TermCounts` that is made once."""

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        """The chunks behind `refs`, in that order."""

    def count(self, where: Filter | None = None) -> int:
        """How many rows there are, or how many of them pass `where`."""

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        """Every chunk of these files, in any order; of these documents with ``by="document"``."""

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        """The vector (dimensions,) of each key that exists."""

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        """The ref of each key that exists, as `dense` and `lexical` name its row."""

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        """All rows, or those that pass `where`, in blocks: chunks, and for each of `labels` their vectors
        (len(chunks), dimensions).

        Only the labels that are asked for are read: some are many times as large as the rest of a row.
        """

    def stats(self) -> Stats:
        """How large this version is."""


class Readable(Protocol):
    """What is open to be read."""

    def snapshot(self) -> Snapshot:
        """The latest version, with what other processes wrote."""

    def close(self) -> None:
        """Give back connections, files and memory. Snapshots of this store are not used after that."""


class Store(Readable, Protocol):
    """A collection that is open. Every use after `close` is a StoreError, but for `close` itself."""

    collection: Collection

    def upsert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], stale: Sequence[str] = ()) -> None:
        """Insert or replace rows by key, and remove the rows of the keys `stale`, which those of `chunks` take the
        place of; repeating it changes nothing. Durable on return.

        `vectors` has an array (len(chunks), dimensions) for every label of the collection, else StoreError is raised.
        A version in which old and new rows stand side by side is shown to nobody where that can be had at a fair price;
        rows are never missing in between.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove these keys; unknown ones are passed over."""

    def optimise(self, *, thorough: bool = False) -> None:
        """Build or extend indexes where that pays, and compact. Safe beside readers.

        `thorough` is for the end of a run; without it only what keeps searches fast during one is done.
        """

    def drop(self) -> None:
        """Remove the collection and its files."""


@runtime_checkable
class Derivable(Protocol):
    """A store that can be filled with the rows of another one of its backend, without reading them one by one."""

    def take_over(self, version: Snapshot, derive: Callable[[Vectors], Vectors], paths: AbstractSet[str]) -> bool:
        """Hold the rows of these files in `version`, and no others, with what `derive` makes of their vectors.

        Both have the one label `VECTOR`, and words of the same language. False, and nothing is changed, where it cannot
        be done for these two. Durable on return; a call that was killed is repeated from its start.
        """


class Backend(Protocol[Settings]):
    """What the module of a backend offers."""

    CAPABILITIES: Capabilities

    def settings_in(self, folder: Path) -> Settings:
        """The settings of a store that belongs to `folder`: a home, or a folder for the time of an evaluation."""

    def open_store(self, settings: Settings, collection: Collection, *, create: bool = False) -> Store:
        """Open a collection that asks for nothing beyond CAPABILITIES.

        One that is missing is made with `create`, also over the remains of a creation that was killed; else
        StoreError is raised. StoreError is raised too where it was made with other vectors, or with vectors that are
        compared in another way: an index that was made for one is never searched with the other.
        """


@runtime_checkable
class LastingBackend(Backend[Settings], Protocol[Settings]):
    """What the module of a backend that keeps its rows may offer besides: what lies there, known to a home or not."""

    def collections(self, settings: Settings) -> Mapping[str, KeptCollection]:
        """Every collection by its name, half removed ones included."""

    def remove(self, settings: Settings, name: str) -> None:
        """Remove a collection and its files, whatever state they are in. Raises StoreError, HomeNotWritable."""


class RowStore(Store, Protocol):
    """A store that keeps rows, and that a hot index does the searching for (`embassay.stores.hot`)."""

    def insert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors]) -> None:
        """What `upsert` does, for rows whose keys are known to be new, each of its own: what is there is not read."""

    def compact(self, *, thorough: bool = False) -> None:
        """What `optimise` does, but for indexes: nobody asks them."""


@runtime_checkable
class MirroredBackend(Backend[Settings], Protocol[Settings]):
    """What the module of a backend offers besides, where a hot index stands beside each of its stores."""

    def open_store(self, settings: Settings, collection: Collection, *, create: bool = False) -> RowStore:
        """See `Backend`."""

    def version(self, settings: Settings, name: str) -> int | None:
        """The latest version of a collection, which grows with each write; None where there is none. It is asked for
        before each search, and opens nothing."""

    def hot_folder(self, settings: Settings, name: str) -> Path:
        """Where the hot index of a collection belongs."""

    def vector_files(self, settings: Settings, name: str) -> Sequence[Path]:
        """Files that never change, in which the vectors of a collection may lie as they are."""

    def size(self, settings: Settings, name: str) -> int:
        """Bytes of a collection, without its hot index."""
