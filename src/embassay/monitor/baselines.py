"""What is good, for one set in one space: made of judged queries, or of searches logged while all was well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import plugins, remedy
from embassay.errors import UsageError
from embassay.monitor.base import FEWEST, MOST, SIGNALS, BaselineSample
from embassay.monitor.searches import Searches
from embassay.search.modes import HYBRID, pipeline
from embassay.sets.monitoring.marks import mark_of
from embassay.sets.monitoring.table import BaselineRow

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.monitor.monitor import Monitor
    from embassay.types import Vectors

KEPT = 500
"""Vectors of queries that it keeps."""


@dataclass(frozen=True, slots=True)
class SetBaseline:
    """One that was made."""

    set: str
    space: str
    made: float
    """Seconds since 1970."""
    judged: str
    """The name of the judged set; empty for searches of the log."""
    searches: int
    parts: Mapping[str, Any]
    """What each signal wrote down."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        names = ("set", "space", "made", "judged", "searches", "parts")
        return {name: getattr(self, name) for name in names}


def make_baseline(
    monitor: Monitor, judged: JudgedSet | None, place: str, advance: Callable[[int], None] = lambda _: None
) -> SetBaseline:
    """Make and keep one of `judged`, or of the logged searches. `place`: the folder that the judged set was read from.

    Raises UsageError for too few searches, SetNotFound, ModelError, ProviderError, StoreError, HomeError.
    """
    space = monitor.space
    if judged is not None:
        searches, vectors = _asked(monitor, judged, advance)
    else:
        searches = monitor.searches(space, MOST)
        vectors = monitor.sample(searches, space).vectors
        if len(searches) < FEWEST:
            raise UsageError(
                f"{len(searches):,} searches are in the log, and a baseline is made of {FEWEST} at least.",
                remedy=remedy.option("judged", "DIR", say="Name judged data by {}, or wait for more searches."),
            )
    sample = BaselineSample(monitor.set, space, searches, vectors, judged, monitor.config)
    parts = {}
    for name in plugins.names(SIGNALS):
        learn = getattr(plugins.load(SIGNALS, name), "learn", None)
        if learn is not None and (part := learn(sample)):
            parts[name] = part
    now = time.time()
    row = BaselineRow(monitor.set.name, space.digest, now, place, parts, vectors[-KEPT:].astype(np.float32).tobytes())
    monitor.home.monitoring.keep_baseline(row)
    return SetBaseline(row.set_name, row.space, now, judged.name if judged else "", len(searches), parts)


def _asked(monitor: Monitor, judged: JudgedSet, advance: Callable[[int], None]) -> tuple[Searches, Vectors]:
    """The judged queries as searches, and their vectors, in the order of their ids."""
    texts = [*judged.queries.values()]
    asked = pipeline(HYBRID, fusion=monitor.set.fusion)
    rows: list[dict[str, object]] = []
    with monitor.set.searcher() as index:
        for at, text in enumerate(texts):
            found = index.search(text, asked, measured=True)
            rows.append({"seq": at, "query": at, "took_ms": found.took_ms, **asdict(mark_of(found.hits, found.terms))})
            advance(1)
    return Searches.of_rows(rows), monitor.set.embed(texts, "query").vectors
