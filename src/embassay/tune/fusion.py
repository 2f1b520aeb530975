"""Fits the fusion of a hybrid search and its weight, by cross-validation over the judged queries of a set.

Every query is searched once. What the arms found is then joined in every way that is tried, and the way that is best on
nine tenths of the queries is held against the present one on the tenth that is left (Stone, JRSS B 1974): so the gain
that is told is one on queries that chose nothing. Of many ways one is always the best on the queries that chose it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.errors import UsageError
from embassay.evaluate.compare.basis import basis_of
from embassay.evaluate.compare.opening import check_judged
from embassay.evaluate.compare.set_system import SetSystem, ranked_places
from embassay.evaluate.compare.statistics import Difference, differences
from embassay.evaluate.compare.verdict import Decision, decide
from embassay.evaluate.data.places import Place
from embassay.evaluate.score.metrics import canonical, per_query
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores, completed
from embassay.search.modes import DEFAULT_FUSION, pipeline
from embassay.search.parse import parse_fusion
from embassay.search.pipeline import Pipeline

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.evaluate.data.judged import JudgedSet
    from embassay.home import Home
    from embassay.search.base import Candidates
    from embassay.search.context import Context
    from embassay.search.index import Searcher

    Table = npt.NDArray[Any]

METRIC = "nDCG@10"
FOLDS = 10
FEWEST = 30
"""Queries, at least: with three in a fold no choice among ways is one."""
MIN_EFFECT = 0.005
"""Of the metric: less is not worth a setting of one's own. Changing a fusion embeds nothing anew, so that it is half of
what changing a model has to gain."""
WAYS = (
    *(f"adaptive({weight / 100})" for weight in range(40, 100, 5)),
    *(f"convex({weight / 100})" for weight in range(30, 100, 5)),
    *(f"zscore({weight / 100})" for weight in range(20, 95, 5)),
    "rrf(60)",
    "rrf(10)",
)
"""What is tried, as it is written in a pipeline."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was found: the way that is best, and what it gains where it was not chosen."""

    set: str
    judged: JudgedSet
    queries: int
    metric: str
    present: Pipeline
    fitted: Pipeline
    """The best way on all queries."""
    means: Mapping[str, float]
    """Of every way that was tried, by its fusion, on all queries; `present` and the arms alone are among them."""
    held_out: Difference
    """What the choice gains over the present way, each query in the fold that did not choose."""
    chosen: Mapping[str, int]
    """How many folds chose each way."""
    decision: Decision

    @property
    def recommends(self) -> bool:
        """Whether the gain on queries held out is sure, and worth it."""
        return self.decision.verdict == "switch" and self.fitted != self.present

    @property
    def sentence(self) -> str:
        """What to think of it."""
        seen = self.held_out
        gain = f"{seen.mean:+.3f} {self.metric} [{seen.low:+.3f}, {seen.high:+.3f}] on queries held out"
        if self.recommends:
            return f"Use {self.fitted.stages[0]}: {gain}."
        return f"Keep {self.present.stages[0]}. What the queries would choose gains {gain}: {self.decision.reason}."

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        seen = self.held_out
        return {
            "set": self.set,
            "judged": self.judged.name,
            "digest": self.judged.digest,
            "queries": self.queries,
            "metric": self.metric,
            "present": str(self.present),
            "fitted": str(self.fitted),
            "recommended": str(self.fitted) if self.recommends else None,
            "means": dict(self.means),
            "held_out": {"gain": seen.mean, "interval": [seen.low, seen.high], "p": seen.p},
            "folds": dict(self.chosen),
            "verdict": self.decision.verdict,
            "reason": self.decision.reason,
        }


def tune_fusion(
    home: Home,
    set: str,
    judged: JudgedSet,
    *,
    metric: str = METRIC,
    present: Pipeline | None = None,
    min_effect: float = MIN_EFFECT,
    advance: Callable[[int], None] = lambda _: None,
) -> Tuning:
    """Fit the fusion of `present`, by default a hybrid search of that set, to the judged queries of a set.

    Nothing is written. `advance` is told of queries. Raises UsageError for fewer than `FEWEST` queries, for judged data
    of other documents, and for a pipeline without a fusion; ModelError, ProviderError, StoreError.
    """
    (metric,) = canonical((metric,))
    of_set = home.set(set)
    present = present or pipeline(fusion=of_set.fusion)
    if not isinstance(present.stages[0], Fusion):
        raise UsageError(f"{present} joins no arms, so that there is nothing to fit.", remedy="Name two arms or more.")
    basis = basis_of(judged)
    if len(basis.queries) < FEWEST:
        raise UsageError(
            f"{judged.name} has {len(basis.queries)} judged queries; {FEWEST} or more can choose a fusion.",
            remedy="Judge more questions of your users.",
        )
    fusions = {str(made): made for made in (present.stages[0], *map(parse_fusion, WAYS))}
    with of_set.searcher() as index:
        check_judged(judged, [SetSystem(set, index, home.embedder(set), present, home.sources(set))])
        values = _measured(index, judged, basis.queries, present, fusions, metric, advance)
    return _chosen(set, judged, metric, present, fusions, values, basis.words_bias, min_effect)


def apply(home: Home, found: Tuning) -> bool:
    """Have hybrid searches of the set join their arms as is recommended; whether anything was changed.

    Raises UsageError where nothing is recommended, or what was fitted is not a hybrid search: other arms are joined by
    naming the pipeline. SetNotFound, HomeError.
    """
    if not found.recommends:
        raise UsageError(f"nothing is changed. {found.sentence}", remedy="Judge more questions of your users.")
    if found.present.joined_by(DEFAULT_FUSION) != pipeline():
        raise UsageError(
            "what was fitted is no hybrid search as every set has it.",
            remedy=remedy.command("search", "QUERY", set=found.set, pipeline=str(found.fitted), say="Search with it"),
        )
    seen = found.held_out
    fitted = {"judged": found.judged.name, "digest": found.judged.digest, "metric": found.metric}
    gained = {"gain": seen.mean, "interval": [seen.low, seen.high]}
    return home.set(found.set).use_fusion(str(found.fitted.stages[0]), **fitted, **gained)


def _chosen(
    set: str,
    judged: JudgedSet,
    metric: str,
    present: Pipeline,
    fusions: Mapping[str, Fusion],
    values: Mapping[str, Table],
    bias: tuple[float, float],
    min_effect: float,
) -> Tuning:
    """The best way, and what cross-validation says of choosing it."""
    import numpy as np

    names = list(fusions)
    table = np.stack([values[name] for name in names])
    picks, gains = cross_validated(table)
    (seen,) = differences(gains[:, None])
    best = names[int(table.mean(axis=1).argmax())]
    chosen = {names[at]: int((picks == at).sum()) for at in np.unique(picks)}
    return Tuning(
        set, judged, table.shape[1], metric, present, present.joined_by(fusions[best]),
        {name: float(row.mean()) for name, row in values.items()}, seen, chosen,
        decide(seen, seen.p, min_effect=min_effect, bias=bias),
    )  # fmt: skip


def cross_validated(table: Table) -> tuple[Table, Table]:
    """Which row each fold chooses, and for each query what that row gains over the first one.

    `table` has a row for each way and a column for each query; a fold chooses by the other folds' columns. Of equal
    ways the first one is chosen, so that nothing is changed for nothing.
    """
    import numpy as np

    queries = table.shape[1]
    folds = np.random.default_rng(0).permutation(queries) % FOLDS
    picks = np.array([int(table[:, folds != fold].mean(axis=1).argmax()) for fold in range(FOLDS)])
    held_out = table[picks[folds], np.arange(queries)]
    return picks, held_out - table[0]


def _measured(
    index: Searcher,
    judged: JudgedSet,
    queries: Sequence[str],
    present: Pipeline,
    fusions: Mapping[str, Fusion],
    metric: str,
    advance: Callable[[int], None],
) -> dict[str, Table]:
    """The metric of every query, under each fusion and for each arm alone."""
    import numpy as np

    kept = _Keeping()
    ends = replace(present, stages=(kept, present.stages[-1]))  # what stands behind the fusion does not choose it
    whole = ends.handing_out(sum(arm.depth for arm in present.arms))
    rankings: dict[str, dict[str, Sequence[str]]] = {}
    for query in queries:
        hits = index.search(judged.queries[query], whole, measured=True).hits
        places = [Place.parse(document) for document in judged.qrels.get(query, {})]
        refs = list(kept.refs)
        for name, scores in kept.joined(fusions).items():
            order = sorted(range(len(refs)), key=lambda at, scores=scores: -scores.get(refs[at], -np.inf))  # type: ignore[misc]
            ranked = [hits[at] for at in order if refs[at] in scores]
            rankings.setdefault(name, {})[query] = list(ranked_places(ranked, places))
        advance(1)
    found = {}
    for name, by_query in rankings.items():
        run = {q: {d: -float(place) for place, d in enumerate(ids)} for q, ids in by_query.items()}
        scored = per_query({q: judged.qrels[q] for q in queries}, run, (metric,))
        found[name] = np.array([scored[query][metric] for query in queries])
    return found


class _Keeping(Fusion):
    """Stands where a fusion stands, and keeps what the arms found and gave to what the others found."""

    def __init__(self) -> None:
        object.__setattr__(self, "_found", ({}, {}))  # it is frozen, as stages are

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        plain = {**candidates.found, **candidates.rescored}
        labels = [label for label in plain if label not in candidates.rescored]
        object.__setattr__(self, "_found", (plain, {**plain, **completed(plain, context, labels)}))
        return super().run(context, candidates)

    @property
    def completes(self) -> bool:
        return False

    @property
    def refs(self) -> Scores:
        """All candidates in the order in which they are handed on."""
        return self.fuse(self._lists[0])

    @property
    def _lists(self) -> tuple[Mapping[str, Found], Mapping[str, Found]]:
        lists: tuple[Mapping[str, Found], Mapping[str, Found]] = self.__dict__["_found"]
        return lists

    def joined(self, fusions: Mapping[str, Fusion]) -> dict[str, Scores]:
        """The scores of the candidates under each fusion, and those of each arm that found them, as ``LABEL alone``."""
        plain, whole = self._lists
        alone = {f"{label} alone": {one.ref: one.score for one in found.scored} for label, found in plain.items()}
        return {name: fusion.fuse(whole if fusion.completes else plain) for name, fusion in fusions.items()} | alone

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        refs = {one.ref: None for arm in found.values() for one in arm.scored}
        return {ref: -float(at) for at, ref in enumerate(refs)}
