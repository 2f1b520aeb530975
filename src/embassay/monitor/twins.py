"""Twins: the same searches with the documents that hold their answers, and without them.

A search for a question whose answer is gone finds what is next best. For a judged question that is known beforehand:
the hits that hold its answer are taken out of the ranking, and what is left is what would be found without them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay.evaluate.data.places import Place, covering
from embassay.monitor.searches import distinct_rows
from embassay.monitor.thresholds import SearchFigures
from embassay.search.base import DEPTH
from embassay.search.modes import HYBRID, pipeline
from embassay.sets.monitoring.marks import Mark, mark_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedding_set import EmbeddingSet
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.monitor.searches import Searches
    from embassay.types import Hit

Twins = tuple[SearchFigures, SearchFigures]
"""Of searches whose answer is there, and in the same order of those without it."""
MOST = 1_000
"""Judged queries that are asked."""
SHOWN = 10
"""Hits that a search has, unless somebody wants another number."""


def judged_twins(watched: EmbeddingSet, judged: JudgedSet, most: int = MOST) -> Twins:
    """Of judged queries whose answers the set has; of more than `most`, some are drawn.

    Raises SetNotFound, ModelError, ProviderError, StoreError.
    """
    names = sorted(judged.queries)
    if len(names) > most:
        names = sorted(random.Random(judged.digest).sample(names, most))
    asked = pipeline(HYBRID, SHOWN, fusion=watched.fusion).handing_out(DEPTH)
    good, gone = list[Mark](), list[Mark]()
    with watched.searcher() as index:
        for name in names:
            found = index.search(judged.queries[name], asked, measured=True)
            places = [Place.parse(document) for document in sorted(judged.relevant(name))]
            left = [hit for hit in found.hits if not holds(hit, places)]
            good.append(mark_of(found.hits[:SHOWN], found.terms))
            gone.append(mark_of(left[:SHOWN], found.terms))
    return figures_of_marks(good), figures_of_marks(gone)


def holds(hit: Hit, places: Sequence[Place]) -> bool:
    """Whether a hit is of one of these places, or of a record or file that is judged as a whole."""
    chunk = hit.chunk
    return bool(covering(Place(chunk.path, *chunk.lines), places))


def logged_twins(searches: Searches, window: int) -> Twins:
    """Of logged searches, different ones in each stretch of so many, where the document of the first hit is taken for
    the answer."""
    rows = distinct_rows(searches.query, window)
    gone = SearchFigures(searches.other_dense, searches.other_words, searches.terms.astype(float))
    return figures_of(searches).chosen(rows), gone.chosen(rows)


def different(searches: Searches) -> npt.NDArray[np.int64]:
    """The rows of the newest search of each query, oldest first: what it finds now, and not what it found before."""
    _, newest = np.unique(searches.query[::-1], return_index=True)
    rows: npt.NDArray[np.int64] = np.sort(len(searches) - 1 - newest)
    return rows


def figures_of(searches: Searches) -> SearchFigures:
    """The figures of logged searches."""
    return SearchFigures(searches.dense, searches.words, searches.terms.astype(float))


def figures_of_marks(marks: Sequence[Mark]) -> SearchFigures:
    """The same of marks."""
    rows = np.array([(mark.dense, mark.words, mark.terms) for mark in marks], float).reshape(-1, 3)
    return SearchFigures(rows[:, 0], rows[:, 1], rows[:, 2])
