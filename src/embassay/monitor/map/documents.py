"""Where the documents of a set lie: their vectors on the two directions in which they differ most (PCA)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.embedders.wrap.projected import fit
from embassay.errors import UsageError
from embassay.monitor.map.folders import folders_of
from embassay.monitor.sampled import sample_set
from embassay.remedy import command

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedding_set import EmbeddingSet
    from embassay.home import Home
    from embassay.space import Space
    from embassay.types import Vectors

    Places = npt.NDArray[np.float64]

SAMPLE = 5_000
"""Chunks that the two directions are fitted to."""
DRAWN = 2_000
"""Of these, as many as are drawn."""
FEWEST = 3
"""Chunks that a plane goes through."""
OUTERMOST = 0.5
"""Per cent of the chunks on each side that may lie at the edge of the map, so that one does not push all others into
a corner."""
MARGIN = 0.04
"""Part of the map that is left free at each edge."""
MOST_MAPS = 8
"""Maps that are kept in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class DocumentMap:
    """A set, drawn on a plane; a point is a chunk. Places are 0 to 1, across and upwards."""

    set: str
    space: Space
    chunks: int
    """All that the set has."""
    places: Places
    """(points, 2)."""
    folders: Sequence[str]
    """Of each point, see `embassay.monitor.map.folders`."""
    documents: Sequence[str]
    vectors: npt.NDArray[np.float16]
    """Of the points: to tell which one is near."""
    explained: float
    """Share of the differences between the chunks that can be seen in two directions."""
    least: float | None
    """The score of the nearest chunk below which a question is answered by none; None where that is not known."""
    _plane: Vectors
    _low: Places
    _span: Places

    def place(self, vectors: Vectors) -> Places:
        """Where other vectors of the space (n, dimensions) lie; what is outside of the map, at its edge."""
        return _placed(vectors @ self._plane, self._low, self._span)

    def nearest(self, vectors: Vectors) -> npt.NDArray[np.int64]:
        """The point that is nearest to each of these vectors."""
        found: npt.NDArray[np.int64] = np.argmax(vectors @ self.vectors.T.astype(np.float32), axis=1)
        return found


def map_documents(of_set: EmbeddingSet) -> DocumentMap:
    """Draw a set. Raises UsageError where it has too few chunks, or dimensions, SetNotFound, StoreError."""
    sample = sample_set(of_set, SAMPLE)
    whole: list[int] = np.flatnonzero(np.any(sample.vectors != 0, axis=1)).tolist()
    if len(whole) < FEWEST or sample.space.dimensions <= 2:
        raise UsageError(
            f"a map takes {FEWEST} chunks with a vector of more than two numbers; set {of_set.name!r} has "
            f"{len(whole)} of {sample.space.dimensions}.",
            remedy=command("index", "FOLDER", set=of_set.name, say="Add documents: {}"),
        )
    vectors = sample.vectors[whole]
    plane = _turned(fit([vectors], sample.space, 2).matrix)
    flat = vectors @ plane
    low, high = np.percentile(flat, [OUTERMOST, 100 - OUTERMOST], axis=0)
    span = np.maximum(high - low, 1e-9)
    folders = folders_of([sample.paths[at] for at in whole])
    shown: list[int] = np.unique(np.linspace(0, len(whole) - 1, min(DRAWN, len(whole))).astype(int)).tolist()
    spread = float(vectors.var(axis=0).sum())
    known = sample.calibration
    return DocumentMap(
        of_set.name,
        sample.space,
        sample.chunks,
        _placed(flat[shown], low, span),
        [folders[at] for at in shown],
        [sample.documents[whole[at]] for at in shown],
        vectors[shown].astype(np.float16),
        float(flat.var(axis=0).sum()) / spread if spread else 1.0,
        known.least if known is not None and known.tells else None,
        plane,
        low,
        span,
    )


def _turned(plane: Vectors) -> Vectors:
    """A direction and its opposite are as good: the one whose largest number is positive, so that a map stays as it
    is."""
    largest = plane[np.abs(plane).argmax(axis=0), [0, 1]]
    turned: Vectors = plane * np.where(largest < 0, -1, 1).astype(np.float32)
    return turned


def _placed(flat: npt.NDArray[np.floating], low: Places, span: Places) -> Places:
    inside: Places = np.clip((flat - low) / span, 0, 1) * (1 - 2 * MARGIN) + MARGIN
    return inside


class DocumentMaps:
    """The maps of one home, each drawn when it is first asked for and again once its set has changed. Threads may
    share it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._drawing: dict[str, threading.Lock] = {}
        self._drawn: OrderedDict[str, tuple[tuple[object, ...], DocumentMap]] = OrderedDict()

    def of(self, name: str) -> DocumentMap:
        """The map of a set as it is now. Raises as `map_documents` does."""
        of_set = self._home.set(name)
        about = of_set.describe()
        stamp = (about.created, about.space_digest, about.chunks, about.bytes, about.written, about.view)
        with self._lock:
            drawing = self._drawing.setdefault(name, threading.Lock())
        with drawing:  # whoever comes meanwhile waits, and draws nothing again
            with self._lock:
                known = self._drawn.get(name)
            if known is None or known[0] != stamp:
                known = stamp, map_documents(of_set)
            with self._lock:
                self._drawn[name] = known
                self._drawn.move_to_end(name)
                while len(self._drawn) > MOST_MAPS:
                    gone, _ = self._drawn.popitem(last=False)
                    self._drawing.pop(gone, None)
        return known[1]
