"""The regression set: saved queries whose answers are known, asked again of the set as it is now.

They are those of the judged set that the baseline was made with, and their figures are those of `eval`. A query is held
against its own result of then, so that a set of hard queries is no alarm.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.evaluate.compare.set_system import ranked_places
from embassay.evaluate.compare.statistics import differences, spread
from embassay.evaluate.data.places import Place
from embassay.evaluate.score.metrics import per_query
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.monitor.steps import look_for_gone, make_baseline
from embassay.search.base import DEPTH
from embassay.search.modes import HYBRID, pipeline
from embassay.sets.monitoring.marks import mark_of

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet

TITLE = "The saved queries"
WHEN: When = "daily"
METRIC = "nDCG@10"
MOST = 100
"""Queries that are saved; of more judged ones so many are drawn."""
TOP = 3
CERTAIN, LIKELY = 0.01, 0.05
"""Chance of the paired test below which a loss alerts, and warns."""
EFFECT = 0.01
"""Loss of the metric that is worth a word."""
LOST = 0.2
"""Share of the queries that lost their answer from which on it alerts, however few they are: nothing of a search is
left to chance, so that the set is another one."""
NAMED = 3
"""Queries that lost their answer and are shown."""


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """One query, its answers, and what came of it."""

    id: str
    text: str
    expected: Mapping[str, int]
    """Judged place to its grade."""
    ndcg: float
    in_top: bool
    """Whether an answer was among the first hits."""
    score: float | None
    """Raw score of the best hit of the vectors."""
    took_ms: float


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """The queries with what comes of them now; nothing where the baseline has no judged ones.

    Raises SetNotFound, ModelError, ProviderError, StoreError.
    """
    if sample.judged is None:
        return {}
    judged = sample.judged
    names = sorted(name for name in judged.queries if judged.relevant(name))
    if len(names) > MOST:
        names = sorted(random.Random(judged.digest).sample(names, MOST))
    chosen = [(name, judged.queries[name], judged.qrels[name]) for name in names]
    saved = _asked(sample.set, chosen)
    return {"queries": [asdict(one) for one in saved], "bytes": sample.set.status().bytes} if saved else {}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """One reading: the figures now and then, and which queries lost their answer."""
    before = _saved(watched.known)
    if not before:
        step = make_baseline(watched.set.name, "Save some")
        return [SignalReading("unknown", "No queries are saved with the baseline of this set.", remedy=step)]
    now = _asked(watched.set, [(one.id, one.text, one.expected) for one in before])
    figures = {
        **_figures(now, watched.set.status().bytes, ""),
        **_figures(before, int(watched.known.get("bytes", 0)), "_before"),
    }
    lost = [was for was, one in zip(before, now, strict=True) if was.in_top and not one.in_top]
    found = differences(np.array([[one.ndcg - was.ndcg] for was, one in zip(before, now, strict=True)]))[0]
    loss, share = max(0.0, -found.mean), len(lost) / len(before)
    state = _state(loss, share, found.p, watched.tolerance)
    figures |= {"p": found.p, "lost": float(len(lost)), "loss": loss}
    said = _said(figures, len(now), len(lost))
    gone = _gone(watched.set, lost) if lost else 0
    if gone:
        said += f" Of {gone:,} of these no answer is in the set any more."
    needed = max(loss / EFFECT, share / LOST) if state == "alert" else None
    texts = [one.text for one in lost[:NAMED]]
    return [
        SignalReading(
            state, said, figures["ndcg"], _step(watched, gone), figures=figures, tolerated_at=needed, texts=texts
        )
    ]


def _state(loss: float, lost: float, p: float, tolerance: float) -> State:
    if lost >= LOST * tolerance and lost > 0:
        return "alert"
    if loss < EFFECT * tolerance:
        return "ok"
    return "alert" if p < CERTAIN else "warn" if p < LIKELY or lost > 0 else "ok"


def _asked(watched: EmbeddingSet, queries: Sequence[tuple[str, str, Mapping[str, int]]]) -> list[KnownAnswer]:
    """The queries asked as searches are, each embedded anew."""
    asked = pipeline(HYBRID, fusion=watched.fusion).handing_out(DEPTH)
    found = []
    with watched.searcher() as index:
        for at, (name, text, expected) in enumerate(queries):
            if not at:
                index.search(text, asked, measured=True)  # makes what is made when first needed
            result = index.search(text, asked, measured=True, cached=False)
            places = [Place.parse(document) for document in expected]
            ranking = list(ranked_places(result.hits, places))
            run = {name: {document: -float(place) for place, document in enumerate(ranking)}}
            scores = per_query({name: expected}, run, (METRIC,))[name]
            wanted = {document for document, grade in expected.items() if grade > 0}
            in_top = not wanted.isdisjoint(ranking[:TOP])
            best = mark_of(result.hits, result.terms).dense
            found.append(KnownAnswer(name, text, dict(expected), scores[METRIC], in_top, best, result.took_ms))
    return found


def _figures(asked: Sequence[KnownAnswer], size: int, behind: str) -> dict[str, float | None]:
    scores = [one.score for one in asked if one.score is not None]
    times = spread([one.took_ms for one in asked])
    figures = {
        "ndcg": float(np.mean([one.ndcg for one in asked])),
        "in_top": float(np.mean([one.in_top for one in asked])),
        "score": float(np.mean(scores)) if scores else None,
        "mean_ms": float(np.mean([one.took_ms for one in asked])),
        "p95_ms": times["p95"],
        "bytes": float(size),
    }
    return {name + behind: value for name, value in figures.items()}


def _said(figures: Mapping[str, float | None], queries: int, lost: int) -> str:
    said = (
        f"Of {queries:,} saved queries {figures['in_top']:.0%} have an answer in the top {TOP} (was "
        f"{figures['in_top_before']:.0%}); {METRIC} {figures['ndcg']:.3f} (was {figures['ndcg_before']:.3f}, "
        f"p = {figures['p']:.2g}); {figures['p95_ms']:.0f} ms at the 95th percentile (was "
        f"{figures['p95_ms_before']:.0f})."
    )
    if lost:
        said += f" {lost:,} had one there and have none now."
    return said


def _gone(watched: EmbeddingSet, lost: Sequence[KnownAnswer]) -> int:
    """Of how many queries that lost their answer nothing of it is in the set any more."""
    there = {*watched.sources(), *(document.path for document in watched.list())}
    return sum(
        all(Place.parse(document).path not in there for document, grade in one.expected.items() if grade > 0)
        for one in lost
    )


def _step(watched: WatchedSet, gone: int) -> remedy.Remedy:
    name = watched.set.name
    if gone:
        return look_for_gone(name)
    place = watched.baseline.judged if watched.baseline and watched.baseline.judged else "DIR"
    return remedy.command("judge label", place, name, say="Look what is found instead: {}")


def _saved(known: Mapping[str, Any]) -> list[KnownAnswer]:
    """What `learn` wrote down; nothing where somebody has changed that by hand."""
    try:
        return [KnownAnswer(**one) for one in known.get("queries", ())]
    except TypeError:
        return []
