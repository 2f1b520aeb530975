"""Who asked the queries of a judged set: people, nobody, since they were made of the documents, or nobody says.

A query that was made of the documents is asked by somebody who has the answer before them, in its words, so that it
shows how candidates find words again rather than how they answer people. Published sets do not say where their queries
come from, and are taken for what they are published as.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet

Origin = Literal["people", "made-up", "not said"]
PEOPLE = frozenset({"label", "log"})
"""Sources of queries that somebody judged, or asked: whatever else a set names is how it made them."""
NOT_SAID = "not said"
"""Stands for the source of a query of which none is known."""


def source_of(judged: JudgedSet, query: str) -> str:
    """The source of a query as the set says it, else `NOT_SAID`."""
    return judged.sources.get(query) or NOT_SAID


def origin_of(source: str) -> Origin:
    """Who asked queries of this source."""
    if source == NOT_SAID:
        return "not said"
    return "people" if source in PEOPLE else "made-up"


def sources_of(judged: JudgedSet, queries: Iterable[str]) -> dict[str, int]:
    """Source to how many of the queries have it, the most frequent one first."""
    return dict(Counter(source_of(judged, query) for query in queries).most_common())


def listed(sources: Mapping[str, int]) -> str:
    """``80 heading, 60 link``; empty where no source is known."""
    return ", ".join(f"{count:,} {source}" for source, count in sources.items()) if set(sources) - {NOT_SAID} else ""
