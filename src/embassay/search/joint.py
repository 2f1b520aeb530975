"""Several sets of one space, searched as if they were one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from embassay.events import Events
from embassay.search.index import Index, Searcher
from embassay.search.late import LateModel
from embassay.stores.base import Snapshot
from embassay.stores.values import VECTOR, Scored, Stats, WeightedTexts
from embassay.words.languages import MIXED
from embassay.words.near import TermCounts

if TYPE_CHECKING:
    from embassay.search.answered import Calibration
    from embassay.search.trace import Trace
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Role, Vectors

T = TypeVar("T")


class JointIndex(Searcher):
    """Sets whose spaces are equal; who makes it sees to that. The model of the first one embeds each query, once."""

    def __init__(self, indexes: Sequence[Index], events: Events) -> None:
        first = indexes[0]
        languages = {index.language for index in indexes}
        language = first.language if len(languages) == 1 else MIXED
        super().__init__([index.name for index in indexes], first.space, events, language)
        self._indexes = indexes
        self.reranker, self.chat, self.others = first.reranker, first.chat, first.others

    def check_open(self) -> None:
        for index in self._indexes:
            index.check_open()

    def snapshots(self, held: ExitStack) -> Mapping[str, Snapshot]:
        return {name: part for index in self._indexes for name, part in index.snapshots(held).items()}

    def embed(self, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:
        return self._indexes[0].embed(text, role, trace, cached=cached)

    def late(self) -> LateModel:
        each = [index.late() for index in self._indexes]
        return LateModel(each[0].model, [file for late in each for file in late.files])

    def calibrations(self, parts: Mapping[str, Snapshot]) -> Mapping[str, Calibration]:
        return {name: read for index in self._indexes for name, read in index.calibrations(parts).items()}

    def _joined(self, parts: Mapping[str, Snapshot]) -> Snapshot:
        return JointSnapshot(parts)

    def _set_of(self, ref: Hashable) -> str:
        return JointSnapshot.set_of(ref)


class JointSnapshot(Snapshot):
    """The rows of several snapshots. A row is named by its set and the name that it has there."""

    def __init__(self, parts: Mapping[str, Snapshot]) -> None:
        """Who made the `parts`, by set, gives them back."""
        self._parts = parts

    @staticmethod
    def set_of(ref: Hashable) -> str:
        """The set that the row `ref` lies in."""
        return _named(ref)[0]

    def __enter__(self) -> JointSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """The parts are given back by who made them."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        return self._best(k, {name: part.dense(vector, k, where, label=label) for name, part in self._parts.items()})

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        """The k rows of greatest BM25 score, each by the counts of words in its own set."""
        return self._best(k, {name: part.lexical(query, k, where) for name, part in self._parts.items()})

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        return self._scores(refs, lambda part, own: part.dense_scores(vector, own, label=label))

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        """BM25 scores, each by the counts of words in its own set."""
        return self._scores(refs, lambda part, own: part.lexical_scores(query, own))

    def vocabulary(self) -> Mapping[str, int]:
        """The terms of all sets, in how many of their rows together."""
        found: Counter[str] = Counter()
        for part in self._parts.values():
            found.update(part.vocabulary())
        return TermCounts(found)

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        return self._of_each(refs, lambda part, own: part.fetch(own))

    def count(self, where: Filter | None = None) -> int:
        return sum(part.count(where) for part in self._parts.values())

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        names = list(names)
        for part in self._parts.values():
            yield from part.chunks(names, by=by)

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        for part in self._parts.values():
            found |= part.vectors(keys, label=label)
        return found

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        """The same text may lie in several sets: it is named as it stands in the first of them."""
        found: dict[str, Hashable] = {}
        for name, part in self._parts.items():
            found = {key: (name, ref) for key, ref in part.refs(keys).items()} | found
        return found

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        for part in self._parts.values():
            yield from part.scan(labels, where)

    def stats(self) -> Stats:
        each = [part.stats() for part in self._parts.values()]
        unindexed: dict[str, int] = {}
        for one in each:
            for index, rows in one.unindexed.items():
                unindexed[index] = unindexed.get(index, 0) + rows
        return Stats(sum(one.rows for one in each), sum(one.bytes for one in each), unindexed)

    def _scores(self, refs: Sequence[Hashable], of_part: Callable[[Snapshot, list[Hashable]], Vectors]) -> Vectors:
        import numpy as np

        return np.array(self._of_each(refs, of_part), np.float32)

    def _of_each(self, refs: Sequence[Hashable], of_part: Callable[[Snapshot, list[Hashable]], Iterable[T]]) -> list[T]:
        """What each part has for its own rows, in the order of `refs`."""
        wanted: dict[str, list[Hashable]] = {}
        for ref in refs:
            wanted.setdefault(_named(ref)[0], []).append(_named(ref)[1])
        found = {name: iter(of_part(self._parts[name], own)) for name, own in wanted.items()}
        return [next(found[self.set_of(ref)]) for ref in refs]

    @staticmethod
    def _best(k: int, found: Mapping[str, Sequence[Scored]]) -> list[Scored]:
        lists = [[Scored((name, one.ref), one.score) for one in scored] for name, scored in found.items()]
        return list(islice(merge(*lists, key=lambda one: -one.score), k))


def _named(ref: Hashable) -> tuple[str, Hashable]:
    """The set of a row, and the name that the row has there."""
    assert isinstance(ref, tuple)
    name, own = ref
    return name, own
