"""One version of a collection, answered by its hot index alone: the store behind it is not even opened."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from embassay.stores.base import Snapshot
from embassay.stores.coarse import nearest
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.recent import Mask, Rows
from embassay.stores.hot.titles import WeighedTitles
from embassay.stores.hot.view import BLOCK, HotView
from embassay.stores.hot.words import Asked, idf
from embassay.stores.values import VECTOR, Scored, Stats, title_weight

if TYPE_CHECKING:
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.filters.values import Filter
    from embassay.stores.values import Collection, WeightedTexts
    from embassay.types import Chunk, Vectors

PART_BITS = 40
"""A row is named by one number: its part, and behind so many bits its place there. The log is the last part."""
ROW = (1 << PART_BITS) - 1


Passing = tuple[Sequence[Mask | None], Mask]
"""Rows of each part, where None says all of them, and of the log."""
C = TypeVar("C", bound=Callable[..., object])


def told(method: C) -> C:
    """A method that has the hot index given up where it finds it damaged, so that the next snapshot is of a new one."""

    @wraps(method)
    def telling(self: HotSnapshot, *given: object, **named: object) -> object:
        try:
            return method(self, *given, **named)
        except HotIndexDamaged:
            self.damaged()
            raise

    return telling  # type: ignore[return-value]


class HotSnapshot(Snapshot):
    """It holds nothing that has to be given back."""

    def __init__(
        self,
        view: HotView,
        collection: Collection,
        size: Callable[[], int],
        stored: Callable[[int], Snapshot | None],
        damaged: Callable[[], None],
    ) -> None:
        """`size` tells the bytes of the collection on disk; `stored` the snapshot of the store itself, if it is of a
        version still; `damaged` is called where the hot index turns out to be so.
        """
        self._view, self._collection, self._size, self._stored = view, collection, size, stored
        self.damaged = damaged
        self._masks: tuple[Filter | None, Passing] | None = None
        """Of the filter that was asked for last: the arms of a search ask for the same one."""
        self._words: tuple[str | WeightedTexts, AskedOfAll | None] | None = None
        """Of the words that were asked for last: they are looked for, and then looked up in what others found."""
        self.version = view.version

    def __enter__(self) -> HotSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be given back."""

    def stored(self) -> Snapshot | None:
        """The same version as the store itself has it; None where it has gone on."""
        return self._stored(self.version)

    @told
    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        self._collection.spec(label)
        if not np.isfinite(vector).all():
            return []
        masks, recent = self._passing(where)
        found = [
            part.vectors[label].search(vector, k, mask) for part, mask in zip(self._view.parts, masks, strict=True)
        ]
        assert recent is not None
        return _best(k, [*found, self._view.recent.search(label, vector, k, recent)])

    @told
    def coarse(
        self, vector: Vectors, k: int, form: CoarseForm, where: Filter | None = None, *, label: str = VECTOR
    ) -> list[Scored]:
        self._collection.spec(label)
        if not np.isfinite(vector).all():
            return []
        query = form.apply(vector[None])[0]
        masks, recent = self._passing(where)
        parts = zip(self._view.parts, masks, strict=True)
        found = [part.coarse[label].search(form, query, k, mask) for part, mask in parts]
        rows = np.flatnonzero(recent)
        if len(rows):
            best, scores = nearest(form.apply(self._view.recent.read(label, rows)), query, k)
            found.append((rows[best], scores))
        return _best(k, found) if found else []

    @told
    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        self._collection.spec(label)
        scores = np.full(len(refs), np.nan, np.float32)
        for number, at, rows in self._by_part(refs):
            if number < len(self._view.parts):
                scores[at] = self._view.parts[number].vectors[label].scores(vector, rows)
            else:
                scores[at] = self._view.recent.scores(label, vector, rows)
        return scores

    @told
    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        asked = self._asked(query)
        if asked is None:
            return []
        masks, recent = self._passing(where)
        found = [
            part.search(asked.weights, asked.average_length, k, mask)
            for part, mask in zip(asked.parts, masks, strict=True)
        ]
        scores = asked.recent
        rows = np.flatnonzero((scores > 0) & recent) if len(scores) else np.zeros(0, np.int64)
        best = rows[np.argsort(-scores[rows], kind="stable")[:k]]
        return _best(k, [*found, (best, scores[best])])

    @told
    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        scores, asked = np.zeros(len(refs), np.float32), self._asked(query)
        if asked is None:
            return scores
        for number, at, rows in self._by_part(refs):
            if number < len(asked.parts):
                scores[at] = asked.parts[number].scores(asked.weights, asked.average_length, rows)
            else:
                scores[at] = asked.recent[rows]
        return scores

    @told
    def vocabulary(self) -> Mapping[str, int]:
        return self._view.vocabulary

    @told
    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        found: list[Chunk | None] = [None] * len(refs)
        for number, at, rows in self._by_part(refs):
            for place, chunk in zip(at.tolist(), self._chunks(number, rows), strict=True):
                found[place] = chunk
        return [chunk for chunk in found if chunk is not None]

    @told
    def count(self, where: Filter | None = None) -> int:
        if where is None:
            return self._view.rows
        masks, recent = self._passing(where)
        return int(recent.sum()) + sum(int(mask.sum()) for mask in masks if mask is not None)

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        return iter(self._chunks_of(frozenset(names), by))

    @told
    def _chunks_of(self, wanted: frozenset[str], by: str) -> list[Chunk]:
        found: list[Chunk] = []
        for number, (part, alive) in enumerate(self._view.each()):
            rows = part.chunks.rows_of(wanted, by)
            rows = rows if alive is None else rows[alive[rows]]
            for start in range(0, len(rows), BLOCK):
                found += self._chunks(number, rows[start : start + BLOCK])
        recent = self._view.recent
        return found + recent.fetch(recent.matching(lambda chunk: getattr(chunk, by) in wanted))

    @told
    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        self._collection.spec(label)
        found: dict[str, Vectors] = {}
        for part, rows in self._view.find(keys):
            found |= zip(part.chunks.keys_of(rows), part.vectors[label].read(rows), strict=True)
        recent, wanted = self._view.recent, frozenset(keys)
        rows = recent.matching(lambda chunk: chunk.key in wanted)
        return found | dict(zip((chunk.key for chunk in recent.fetch(rows)), recent.read(label, rows), strict=True))

    @told
    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        found: dict[str, Hashable] = {}
        for number, (part, rows) in enumerate(self._view.find(keys)):
            found |= zip(part.chunks.keys_of(rows), (rows + (number << PART_BITS)).tolist(), strict=True)
        recent, wanted = self._view.recent, frozenset(keys)
        rows = recent.matching(lambda chunk: chunk.key in wanted)
        named = rows + (len(self._view.parts) << PART_BITS)
        return found | dict(zip((chunk.key for chunk in recent.fetch(rows)), named.tolist(), strict=True))

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        for label in labels:
            self._collection.spec(label)
        stored = self.stored()
        if stored is not None:  # who reads all rows wants them as they are, not a copy
            yield from stored.scan(labels, where)
            return
        masks, recent = self._passing(where)
        for number, mask in enumerate([*masks, recent]):
            part = self._view.parts[number] if number < len(self._view.parts) else None
            rows = (
                np.arange(part.rows) if mask is None and part else np.flatnonzero(mask if mask is not None else recent)
            )
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                read = {
                    label: part.vectors[label].read(block) if part else self._view.recent.read(label, block)
                    for label in labels
                }
                yield self._chunks(number, block), read

    def stats(self) -> Stats:
        return Stats(self._view.rows, self._size(), {})

    def _chunks(self, number: int, rows: Rows) -> list[Chunk]:
        part = self._view.parts[number].chunks if number < len(self._view.parts) else self._view.recent
        return part.fetch(rows)

    def _by_part(self, refs: Sequence[Hashable]) -> Iterator[tuple[int, Rows, Rows]]:
        """The number of each part, the places among `refs` of its rows, and these rows; nothing of other refs."""
        numbers = np.fromiter((ref if isinstance(ref, int) else -1 for ref in refs), np.int64, len(refs))
        parts, rows = numbers >> PART_BITS, numbers & ROW
        alive = self._view.alive_of_each
        for part in sorted({*parts.tolist()}):
            if 0 <= part < len(alive):
                at = np.flatnonzero((parts == part) & (rows < len(alive[part])))
                at = at[alive[part][rows[at]]]
                yield part, at, rows[at]

    def _passing(self, where: Filter | None) -> Passing:
        """Of each part, and of the log, the rows that are alive and pass a filter; None of a part where all are."""
        if self._masks is None or self._masks[0] is not where:
            self._masks = where, self._passing_now(where)
        return self._masks[1]

    def _passing_now(self, where: Filter | None) -> Passing:
        alive, recent = self._view.alive, self._view.recent
        if where is None:
            return alive, recent.alive
        passing = [part.chunks.mask(where) for part in self._view.parts]
        masks = [one if of is None else one & of for one, of in zip(passing, alive, strict=True)]
        return masks, recent.alive & recent.mask(where)

    def _asked(self, query: str | WeightedTexts) -> AskedOfAll | None:
        """What the parts and the log have of the terms of a query; None where no row has any."""
        words = self._words
        if words is None or words[0] != query:
            wanted = self._collection.asked(query)
            found = wanted and self._view.terms
            words = query, AskedOfAll.of(self._view, wanted, title_weight(query)) if found else None
            self._words = words
        return words[1]


class AskedOfAll:
    """A query by words, with how rare each of its terms is among all rows."""

    def __init__(
        self, parts: Sequence[Asked], weights: Sequence[float], average_length: float, recent: Vectors
    ) -> None:
        self.parts, self.weights, self.average_length = parts, weights, average_length
        self.recent = recent
        """The scores of the rows of the log."""

    @classmethod
    def of(cls, view: HotView, wanted: Mapping[str, float], title: float = 1.0) -> AskedOfAll:
        """Terms, each with what it counts; in titles, that so many times."""
        terms = list(wanted)
        parts = [
            part.words.asked(terms, None if title == 1 else WeighedTitles(part.titles, title)) for part in view.parts
        ]
        frequencies = view.recent.frequencies(terms)
        for part, alive in zip(parts, view.alive, strict=True):
            frequencies = frequencies + part.frequencies(alive)
        weights = (idf(view.rows, frequencies) * np.fromiter(wanted.values(), float)).tolist()
        average_length = view.average_length(title)
        recent = view.recent.lexical(dict(zip(terms, weights, strict=True)), average_length, title)
        return cls(parts, weights, average_length, recent)


def _best(k: int, found: Sequence[tuple[Rows, Vectors]]) -> list[Scored]:
    """The k best of what each part found, named for all."""
    refs = np.concatenate([rows + (number << PART_BITS) for number, (rows, _) in enumerate(found)])
    scores = np.concatenate([scores for _, scores in found])
    if sum(len(rows) > 0 for rows, _ in found) > 1:
        order = np.argsort(-scores, kind="stable")[:k]
        refs, scores = refs[order], scores[order]
    return [Scored(ref, score) for ref, score in zip(refs.tolist(), scores.tolist(), strict=True)]
