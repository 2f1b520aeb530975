"""A store of which only those rows are seen that pass a filter; it is read, and never written."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.stores.base import Readable, Snapshot
from embassay.stores.filters.meaning import predicate
from embassay.stores.filters.values import And
from embassay.stores.values import VECTOR, Scored, Stats, WeightedTexts

if TYPE_CHECKING:
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Vectors


class NarrowedStore:
    """The rows of another store that pass a filter."""

    def __init__(self, whole: Readable, where: Filter) -> None:
        """`whole` is closed with it."""
        self._whole, self._where = whole, where

    def snapshot(self) -> NarrowedSnapshot:
        """The latest version, with what other processes wrote."""
        return NarrowedSnapshot(self._whole.snapshot(), self._where)

    def close(self) -> None:
        """Close the other store."""
        self._whole.close()


class NarrowedSnapshot(Snapshot):
    """The rows of one version that pass a filter. How rare a word is, is what it is among all of them."""

    def __init__(self, whole: Snapshot, where: Filter) -> None:
        """`whole` is given back with it."""
        self.whole, self.where = whole, where

    def __enter__(self) -> NarrowedSnapshot:
        self.whole.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.whole.__exit__(kind, error, trace)

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        return self.whole.dense(vector, k, self.narrowed(where), label=label)

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        return self.whole.lexical(query, k, self.narrowed(where))

    def coarse(
        self, vector: Vectors, k: int, form: CoarseForm, where: Filter | None = None, *, label: str = VECTOR
    ) -> list[Scored]:
        return self.whole.coarse(vector, k, form, self.narrowed(where), label=label)

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        return self.whole.dense_scores(vector, refs, label=label)

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        return self.whole.lexical_scores(query, refs)

    def vocabulary(self) -> Mapping[str, int]:
        """That of all rows."""
        return self.whole.vocabulary()

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        return self.whole.fetch(refs)

    def count(self, where: Filter | None = None) -> int:
        return self.whole.count(self.narrowed(where))

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        return filter(predicate(self.where), self.whole.chunks(names, by=by))

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        return self.whole.vectors(keys, label=label)

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        found = self.whole.refs(keys)
        passes = predicate(self.where)
        chunks = self.whole.fetch([*found.values()])
        return {key: ref for (key, ref), chunk in zip(found.items(), chunks, strict=True) if passes(chunk)}

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        return self.whole.scan(labels, self.narrowed(where))

    def stats(self) -> Stats:
        """It takes no place of its own."""
        return Stats(self.count(), 0, self.whole.stats().unindexed)

    def narrowed(self, where: Filter | None) -> Filter:
        """What a row has to pass that is asked for by `where`."""
        return self.where if where is None else And(self.where, where)


def whole_of(version: Snapshot) -> Snapshot:
    """The version without a filter."""
    return version.whole if isinstance(version, NarrowedSnapshot) else version
