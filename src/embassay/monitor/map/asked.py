"""What is asked of a set, laid over the map of its documents; and what is asked for that nobody wrote."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.map.documents import DocumentMap
    from embassay.monitor.monitor import Monitor
    from embassay.monitor.searches import Searches
    from embassay.types import Vectors

NEWEST = 2_000
"""Searches that are looked at: of as many the log keeps the vectors."""
MOST_FAR = 300
"""Questions that nothing answers which are put into groups, those first that are asked most."""
ALIKE = 99.5
"""Questions stand in one group that are as similar as the most similar of 200 pairs of chunks, in per cent of them:
how high a cosine is differs from space to space."""
PAIRS = 4_000
"""Of chunks, that are looked at for that."""
LOWEST = 10
"""Questions that are named as the farthest ones where nobody knows how far is too far."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, however often it was asked."""

    seq: int
    """Of the newest search with it."""
    text: str
    """A hash of it where the log keeps no more; empty for one that is gone from it."""
    times: int
    score: float | None
    """Raw score of the nearest chunk of the whole set; None where no vectors were compared."""
    unanswered: bool
    """Nothing was found, or nothing that is near enough."""
    place: tuple[float, float] | None
    """On the map; None where the log does not keep its vector."""
    nearest: str
    """The document of the nearest point of the map; empty where it has no place."""
    folder: str | None
    """The folder of that."""


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions that are about one thing."""

    questions: Sequence[AskedQuestion]
    """Those first that are asked most."""

    @property
    def times(self) -> int:
        """Searches with any of them."""
        return sum(one.times for one in self.questions)


@dataclass(frozen=True, slots=True)
class AskedMap:
    """What is asked, over the map of a set."""

    searches: int
    """That were looked at."""
    questions: Sequence[AskedQuestion]
    """Each once, those first that are asked most."""
    unwritten: Sequence[QuestionGroup]
    """What is asked for that nobody wrote, in groups, those first that are asked most."""
    least: float | None
    """The score below which a question counts to these; None where it is not known, and they are but the farthest."""
    by_folder: Mapping[str, int]
    """Searches whose nearest point is in a folder, and which are answered."""


def lay_over(drawn: DocumentMap, monitor: Monitor) -> AskedMap:
    """The newest questions of the log over a map. Raises SetNotFound, HomeError."""
    searches = monitor.searches(drawn.space, NEWEST)
    seqs, vectors = monitor.vectors(searches, drawn.space)
    rows = _rows(searches)
    texts = monitor.home.query_log.texts([row.seq for row in rows])
    kept = {int(seq): at for at, seq in enumerate(seqs)}
    of_rows = [next((kept[seq] for seq in row.seqs if seq in kept), -1) for row in rows]
    places, near = drawn.place(vectors), drawn.nearest(vectors)
    far = _far(rows, drawn.least)
    found = []
    for row, at in zip(rows, of_rows, strict=True):
        text = texts.get(row.seq)
        point = int(near[at]) if at >= 0 else -1
        found.append(
            AskedQuestion(
                row.seq,
                str(text) if text is not None else "",
                len(row.seqs),
                row.score,
                row.seq in far,
                (float(places[at][0]), float(places[at][1])) if at >= 0 else None,
                drawn.documents[point] if at >= 0 else "",
                drawn.folders[point] if at >= 0 else None,
            )
        )
    by_folder = Counter[str]()
    for one in found:
        if one.folder is not None and not one.unanswered:
            by_folder[one.folder] += one.times
    lonely = [(one, at) for one, at in zip(found, of_rows, strict=True) if one.unanswered][:MOST_FAR]
    groups = _grouped([one for one, _ in lonely], [at for _, at in lonely], vectors, _alike(drawn.vectors))
    return AskedMap(len(searches), found, groups, drawn.least, by_folder)


@dataclass(frozen=True, slots=True)
class _Row:
    """The searches with one query."""

    seqs: Sequence[int]
    """The newest first."""
    score: float | None
    """The best of them."""
    empty: bool

    @property
    def seq(self) -> int:
        return self.seqs[0]


def _rows(searches: Searches) -> list[_Row]:
    by_query: dict[int, list[int]] = {}
    for at in range(len(searches) - 1, -1, -1):
        by_query.setdefault(int(searches.query[at]), []).append(at)
    made = []
    for places in by_query.values():
        scores = [float(score) for score in searches.dense[places] if not math.isnan(score)]
        seqs = [int(seq) for seq in searches.seq[places]]
        made.append(_Row(seqs, max(scores, default=None), not searches.hits[places].any()))
    return sorted(made, key=lambda row: (-len(row.seqs), -row.seq))


def _far(rows: Sequence[_Row], least: float | None) -> set[int]:
    """Those that found nothing, or nothing near enough."""
    if least is not None:
        return {row.seq for row in rows if row.empty or (row.score is not None and row.score < least)}
    scored = sorted((row for row in rows if row.score is not None), key=lambda row: row.score or 0.0)
    return {row.seq for row in rows if row.empty} | {row.seq for row in scored[: min(LOWEST, len(rows) // 10)]}


def _alike(vectors: npt.NDArray[np.float16]) -> float:
    """How near questions are that stand in one group."""
    draw = np.random.default_rng(len(vectors))
    left, right = (draw.integers(0, len(vectors), PAIRS) for _ in range(2))
    other = left != right
    rows = vectors.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    near = np.einsum("ij,ij->i", rows[left[other]], rows[right[other]])
    return float(np.percentile(near, ALIKE)) if len(near) else 1.0


def _grouped(
    questions: Sequence[AskedQuestion], rows: Sequence[int], vectors: Vectors, alike: float
) -> list[QuestionGroup]:
    """Questions in groups: each joins the group to whose mean it is nearest, or begins one; those that are asked most
    come first. One without a vector stands alone."""
    groups: list[list[AskedQuestion]] = []
    sums = np.zeros((len(questions), vectors.shape[1]), np.float32)
    for question, at in zip(questions, rows, strict=True):
        mine = -1
        if at >= 0 and groups:
            unit = vectors[at] / max(float(np.linalg.norm(vectors[at])), 1e-12)
            means = sums[: len(groups)]
            near = means @ unit / np.maximum(np.linalg.norm(means, axis=1), 1e-12)
            mine = int(near.argmax()) if near.max() >= alike else -1
        if mine < 0:
            groups.append([])
            mine = len(groups) - 1
        groups[mine].append(question)
        if at >= 0:
            sums[mine] += vectors[at] / max(float(np.linalg.norm(vectors[at])), 1e-12)
    return sorted(map(QuestionGroup, groups), key=lambda group: (-group.times, -group.questions[0].seq))
