"""What a window is held against: the baseline that somebody made, or else the searches that came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.errors import UsageError
from embassay.monitor import change
from embassay.monitor.base import FEWEST
from embassay.monitor.searches import distinct_rows
from embassay.monitor.steps import make_baseline

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.base import BaselineSample, WatchedSet
    from embassay.types import Vectors

KEPT = 500
"""Figures that a signal writes down of a baseline, at most."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual, and where that is known from."""

    known: Mapping[str, Any]
    words: str
    """What it is, as part of a sentence: ``the baseline``."""
    note: str
    """A sentence for the end of the evidence, or nothing."""


def usual(watched: WatchedSet, learn: Callable[[BaselineSample], Mapping[str, Any]], *, in_space: bool = True) -> Usual:
    """What a signal that learns is held against. `in_space`: figures of another space cannot be told from these.

    Raises UsageError where there is nothing yet, which says what is missing.
    """
    if watched.known:
        return Usual(watched.known, "the baseline", "")
    sample = _before(watched, in_space)
    return Usual(learn(sample), *_before_words(watched, sample))


def usual_vectors(watched: WatchedSet) -> tuple[Vectors, str, str]:
    """The vectors of the queries that are usual, and the words and the note of `Usual`. Raises UsageError."""
    row = watched.baseline
    if row is not None and len(row.vectors) % (4 * watched.space.dimensions) == 0:
        found = np.frombuffer(row.vectors, np.float32).reshape(-1, watched.space.dimensions)
        if len(found):
            return found, "the baseline", ""
    sample = _before(watched, in_space=True)
    if len(sample.vectors) < FEWEST:
        raise UsageError("Too few vectors of queries are kept from before the window to hold it against them.")
    return sample.vectors, *_before_words(watched, sample)


def window_vectors(watched: WatchedSet) -> tuple[npt.NDArray[np.int64], Vectors]:
    """The newest different queries of the window of which there are vectors: the `seq` of a search of each, and the
    vectors. Raises UsageError for too few, which says why."""
    seq, rows = watched.vectors()
    if not len(seq):
        keep = remedy.setting("query_log", "kept", say="Keep them: {}")
        raise UsageError(
            "The log has no vectors of these queries: it keeps those of queries whose text it keeps.", remedy=keep
        )
    kept = distinct_rows(watched.searches.queries_of(seq), len(seq))[-change.MOST :]
    kept = kept[np.isfinite(rows[kept]).all(1)]
    if len(kept) < change.FEWEST:
        raise UsageError(
            f"The window has {len(kept):,} different queries with a vector, and {change.FEWEST} are needed."
        )
    return seq[kept], rows[kept]


def _before(watched: WatchedSet, in_space: bool) -> BaselineSample:
    name = watched.set.name
    if in_space and watched.baseline is None and watched.other_space:
        raise UsageError(
            f"The baseline of {name!r} was made in another space than {watched.space}, and figures of two spaces "
            "cannot be held against each other.",
            remedy=make_baseline(name, "Make one in this space"),
        )
    sample = watched.before()
    if sample is None:
        raise UsageError(
            f"{len(watched.searches):,} searches are in the window, and fewer than {FEWEST} came before it that it "
            "could be held against.",
            remedy=make_baseline(name, "Write down what is good, or wait for more searches"),
        )
    return sample


def _before_words(watched: WatchedSet, sample: BaselineSample) -> tuple[str, str]:
    count = len(sample.searches)
    why = "No baseline was made" if watched.baseline is None else "The baseline says nothing of this"
    note = f" {why}, so it is held against {count:,} searches before: a slow change is not seen."
    return f"{count:,} searches before", note
