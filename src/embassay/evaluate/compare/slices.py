"""Parts of the queries, each with its own difference: by source, length, language, or a field of what answers them.

Every slice is a further look at the same comparison, so that p is corrected by Holm for all of them together. A slice
with fewer queries than a verdict takes is named, and not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from embassay import remedy
from embassay.errors import UsageError
from embassay.evaluate.compare.statistics import CONFIDENCE, Difference, differences, holm
from embassay.evaluate.compare.verdict import MIN_QUERIES
from embassay.evaluate.data.origins import origin_of, source_of
from embassay.text import did_you_mean
from embassay.words.analyser import count_words

if TYPE_CHECKING:
    from embassay.evaluate.compare.rows import Row
    from embassay.evaluate.data.judged import JudgedSet

Says = Literal["better", "worse", "undecided", "too few"]
NOTHING = "(none)"
"""The value of what has none."""
LENGTHS = ((3, "1 to 3 words"), (7, "4 to 7 words"))
LONGER = "8 words or more"
"""Bounds that are the same for every set: keywords, a short question, a sentence."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One candidate against the first one, on a part of the queries."""

    by: str
    value: str
    a: str
    b: str
    metric: str
    queries: int
    difference: float
    interval: tuple[float, float] | None
    """Of 95 %, for this slice alone; None where there are too few queries for one."""
    p: float | None
    """Corrected by Holm for all slices that were looked at."""
    p_uncorrected: float | None
    wins: int
    ties: int
    losses: int
    says: Says

    def to_dict(self) -> dict[str, object]:
        """The slice as the JSON output has it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"interval": self.interval and [*self.interval]}


@dataclass(frozen=True, slots=True)
class QueryGroup:
    """Queries that share a value."""

    by: str
    value: str
    queries: Sequence[str]


def groups_by(judged: JudgedSet, by: str, queries: Sequence[str]) -> list[QueryGroup]:
    """The `queries` of a set in groups of one value each, the largest first; those of lengths in their order.

    `by`: ``source``, ``length`` of the query in words, ``language`` of the documents that answer it, or a field of
    their metadata. A query whose answers have several values is in several groups. Raises UsageError for a field that
    no relevant document has.
    """
    values = _values(judged, by)
    found: dict[str, list[str]] = {}
    for query in queries:
        for value in dict.fromkeys(values(query)):
            found.setdefault(value, []).append(query)
    if by not in _OF_QUERIES and set(found) <= {NOTHING}:
        raise UsageError(f"no relevant document of {judged.name} has {by!r}.", remedy=_fields(judged, by))
    groups = [QueryGroup(by, value, members) for value, members in found.items()]
    order = [*(name for _, name in LENGTHS), LONGER]
    if by == "length":
        return sorted(groups, key=lambda group: order.index(group.value))
    return sorted(groups, key=lambda group: (-len(group.queries), group.value))


def slices_of(rows: Mapping[str, Row], metric: str, groups: Iterable[QueryGroup]) -> list[Slice]:
    """Every row against the first one on every group; p is corrected for all of them that are large enough."""
    first, *others = rows
    looks = list(product(groups, others))
    seen = {
        (at, b): found
        for at, (group, b) in enumerate(looks)
        for (found,) in [differences(_column(rows[first], rows[b], metric, group.queries))]
    }
    decided = [key for key, found in seen.items() if found.queries >= MIN_QUERIES]
    corrected = dict(zip(decided, holm([seen[key].p for key in decided]), strict=True))
    return [_slice(group, metric, first, b, seen[at, b], corrected.get((at, b))) for at, (group, b) in enumerate(looks)]


def by_origin(judged: JudgedSet, rows: Mapping[str, Row], metric: str) -> list[Slice]:
    """The difference on what people asked beside that on what was made up; empty where all queries are of one kind."""
    found: dict[str, list[str]] = {}
    for query in judged.queries:
        found.setdefault(origin_of(source_of(judged, query)), []).append(query)
    groups = [QueryGroup("origin", value, members) for value, members in found.items()]
    return slices_of(rows, metric, groups) if len(groups) > 1 and len(rows) > 1 else []


def _slice(group: QueryGroup, metric: str, a: str, b: str, seen: Difference, p: float | None) -> Slice:
    counts = seen.wins, seen.ties, seen.losses
    if p is None:
        return Slice(group.by, group.value, a, b, metric, seen.queries, seen.mean, None, None, None, *counts, "too few")
    says: Says = "undecided"
    if p <= 1 - CONFIDENCE and not seen.low <= 0 <= seen.high:
        says = "better" if seen.mean > 0 else "worse"
    interval = seen.low, seen.high
    return Slice(group.by, group.value, a, b, metric, seen.queries, seen.mean, interval, p, seen.p, *counts, says)


def _column(a: Row, b: Row, metric: str, queries: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[b.per_query[query][metric] - a.per_query[query][metric]] for query in queries], np.float64)


def _values(judged: JudgedSet, by: str) -> Callable[[str], list[str]]:
    """Of a query by its id, the values that it is grouped by."""
    if by in _OF_QUERIES:
        return lambda query: [_OF_QUERIES[by](judged, query)]
    if not judged.documents:
        raise UsageError(
            f"slices by {by!r} need the documents that answer the queries, and {judged.name} has none.",
            remedy=remedy.option("by", "length", say="Slice by what is known of the queries"),
        )
    documents = judged.by_id
    if by == "language":
        languages: dict[str, str] = {}

        def language(document: str) -> list[str]:
            if document not in languages:
                from embassay.words.detection import detect

                one = documents[document]
                languages[document] = detect([f"{one.title}\n{one.text}"])
            return [languages[document]]

        return lambda query: [value for document in sorted(judged.relevant(query)) for value in language(document)]
    return lambda query: [
        value for document in sorted(judged.relevant(query)) for value in _field(documents[document].metadata.get(by))
    ]


def _field(value: object) -> list[str]:
    """The values of a field as words; each of a list on its own."""
    if isinstance(value, list | tuple):
        return [word for one in value for word in _field(one)] or [NOTHING]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)] if isinstance(value, str | int | float) and str(value).strip() else [NOTHING]


def _length(judged: JudgedSet, query: str) -> str:
    words = count_words(judged.queries[query])
    return next((name for most, name in LENGTHS if words <= most), LONGER)


_OF_QUERIES: Mapping[str, Callable[[JudgedSet, str], str]] = {"source": source_of, "length": _length}


def _fields(judged: JudgedSet, by: str) -> str:
    known = {name for document in judged.documents for name in document.metadata}
    return did_you_mean(by, [*_OF_QUERIES, "language", *known])
