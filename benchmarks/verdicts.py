"""Verdicts: metrics against pytrec_eval, false and missed switches by simulation, the speed of the statistics."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.common import DATA, MODEL, WORK, Row, arguments, at_least, at_most, median, report, timed
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.statistics import detectable, differences
from embassay.evaluate.compare.verdict import MIN_EFFECT, decide
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.score.filling import fill
from embassay.evaluate.score.metrics import per_query
from embassay.evaluate.score.ranking import Run

PAIRS, SIMULATIONS = 10_000, 1_000
GAIN, QUERIES = 0.03, 300
NAMES = {
    "nDCG@10": "ndcg_cut_10",
    "R@100": "recall_100",
    "P@5": "P_5",
    "AP@100": "map_cut_100",
    "Success@5": "success_5",
}


def main() -> None:
    chosen = arguments(__doc__)
    rows = [trec_eval(PAIRS), *statistics(chosen.rounds)]
    with TemporaryDirectory(dir=WORK) as place:
        rows += scifact(Path(place), read_judged(DATA / "scifact", "test"))
    rows += power()
    report("verdicts", rows, chosen.json)


def trec_eval(pairs: int) -> Row:
    """The greatest difference to pytrec_eval over graded judgments, tied scores included."""
    import pytrec_eval

    chance = random.Random(0)
    qrels: dict[str, dict[str, int]] = {}
    scores: dict[str, dict[str, float]] = {}
    for query in range(100):
        pool = [f"d{at}" for at in chance.sample(range(1000), pairs // 100)]
        scores[f"q{query}"] = {d: round(chance.random() * 20) / 20 for d in pool}
        judged = pool[:30] + [f"x{at}" for at in range(10)]
        qrels[f"q{query}"] = {d: chance.choice([0, 0, 1, 2, 3]) for d in judged} | {judged[0]: 1}
    ours = per_query(qrels, scores, tuple(NAMES))
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut", "recall", "P", "map_cut", "success"}).evaluate(scores)
    gap = max(abs(ours[q][name] - theirs[q][their]) for q in qrels for name, their in NAMES.items())
    return at_most(f"metrics against pytrec_eval, {pairs:,} pairs, greatest gap", gap, 1e-9)


def statistics(rounds: int, *, queries: int = 1_000) -> list[Row]:
    """Every pair of 5 candidates on 6 metrics: bootstrap and randomisation, against scipy's one column at a time."""
    from scipy import stats

    data = np.random.default_rng(0).normal(0.01, 0.25, (queries, 60))
    ours = median([timed(lambda: differences(data)) for _ in range(rounds)])

    def theirs() -> None:
        stats.bootstrap((data[:, 0],), np.mean, method="percentile", n_resamples=10_000, vectorized=True)
        stats.permutation_test(
            (data[:, 0], np.zeros(queries)), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples",
            n_resamples=10_000, vectorized=True,
        )  # fmt: skip

    one = median([timed(theirs) for _ in range(rounds)])
    what = (
        f"10,000 resamples, {queries:,} queries, 5 candidates, 6 metrics"  # the peer: one of the 60 columns, times 60
    )
    return [Row(what, ours, one * 60, ours / (one * 60), "s", "<= 2", ours <= 2)]


def scifact(place: Path, data: JudgedSet, *, simulations: int = SIMULATIONS) -> list[Row]:
    """The whole set: what comparing takes with a warm cache, dense against hybrid, and A against A."""
    names = [f"{MODEL}@dense", f"{MODEL}@int8", f"{MODEL}@hybrid"]
    (place / "home" / ".embassay").mkdir(parents=True)
    home = place / "home" / ".embassay"
    compare(names, data, home=home)
    seconds = timed(lambda: compare(names, data, home=home))
    found = compare([names[0], names[2]], data, home=home)
    (pair,) = found.deciding
    int8 = compare(names[:2], data, home=home).deciding[0]
    return [
        Row("SciFact, 3 pipelines, warm cache", seconds, None, None, "s", "<= 20", seconds <= 20),
        Row(
            f"SciFact dense to hybrid: {found.verdict}, lower bound", pair.interval[0], None, None, "nDCG@10",
            "switch, > 0", found.verdict == "switch" and pair.interval[0] > 0,
        ),
        Row("deviation of dense and hybrid, per query", pair.deviation, None, None, "nDCG@10", "reported", None),
        Row("deviation of bf16 and int8, per query", int8.deviation, None, None, "nDCG@10", "reported", None),
        at_most("A against A, ties reshuffled: switch", ties(data, simulations), 0.05),
        at_most("A against A, int8 noise: switch", noise(data, simulations), 0.05),
    ]  # fmt: skip


def ties(data: JudgedSet, simulations: int) -> float:
    """The same scores, of which two decimals are kept, twice, ties in random order: the share of switches."""
    generator = np.random.default_rng(1)
    scores, ids = similarities(data, "auto")
    runs = [ndcg(data, np.round(scores, 2), ids, generator) for _ in range(60)]
    return switches(runs, generator, simulations)


def noise(data: JudgedSet, simulations: int) -> float:
    """The same model, each time with noise of the size that int8 makes: the share of switches."""
    generator = np.random.default_rng(2)
    scores, ids = similarities(data, "f32")
    other, _ = similarities(data, "int8")
    size = float((other - scores).std())
    runs = [ndcg(data, scores + generator.normal(0, size, scores.shape), ids, generator) for _ in range(60)]
    return switches(runs, generator, simulations)


def switches(runs: list[np.ndarray], generator: np.random.Generator, simulations: int) -> float:
    """Over pairs of runs that differ by chance alone, on random halves of the queries."""
    found = 0
    for at in range(simulations):
        a, b = generator.choice(len(runs), 2, replace=False)
        queries = generator.choice(len(runs[0]), len(runs[0]) // 2, replace=False)
        (seen,) = differences((runs[b] - runs[a])[queries, None], seed=at, resamples=2_000)
        found += decide(seen, seen.p).verdict == "switch"
    return found / simulations


def similarities(data: JudgedSet, precision: str) -> tuple[np.ndarray, list[str]]:
    from embassay.embedders.providers.local import open_local
    from embassay.stores.opening import exact_store
    from embassay.stores.values import VECTOR

    filled = fill(data, open_local(MODEL, precision), exact_store(384))  # type: ignore[arg-type]
    ((chunks, by_label),) = filled.store.snapshot().scan()
    return filled.queries @ by_label[VECTOR].T, [chunk.document for chunk in chunks]


def ndcg(data: JudgedSet, scores: np.ndarray, ids: list[str], generator: np.random.Generator) -> np.ndarray:
    order = np.lexsort((generator.random(scores.shape), -scores))[:, :10]
    rankings = {q: [ids[at] for at in order[row]] for row, q in enumerate(data.queries)}
    values = per_query(data.qrels, Run(rankings).scored(), ("nDCG@10",))
    return np.array([values[q]["nDCG@10"] for q in data.queries])


def power(simulations: int = SIMULATIONS) -> list[Row]:
    """A true gain, where the power calculation says that it will be found: the share of cases in which it is."""
    generator = np.random.default_rng(3)
    rows = []
    for what, draw in DISTRIBUTIONS.items():
        deviation = float(draw(generator, 1_000_000).std())
        if detectable(QUERIES, deviation, min_effect=MIN_EFFECT) > GAIN:
            continue
        found = 0
        for at in range(simulations):
            (seen,) = differences(draw(generator, QUERIES)[:, None] + GAIN, seed=at, resamples=2_000)
            found += decide(seen, seen.p).verdict == "switch"
        rows.append(at_least(f"gain of {GAIN} found, {what}, deviation {deviation:.3f}", found / simulations, 0.80))
    return rows


def _rare(generator: np.random.Generator, size: int) -> np.ndarray:
    """Most queries stay as they are, a few change much: what two precisions of a model do."""
    changed = generator.random(size) < 0.10
    values: np.ndarray = changed * generator.choice([-0.6, -0.37, 0.37, 0.6], size)
    return values


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda generator, size: generator.normal(0, 0.18, size),
    "normal, narrow": lambda generator, size: generator.normal(0, 0.10, size),
    "few queries change": _rare,
    "skewed": lambda generator, size: generator.exponential(0.15, size) - 0.15,
    "uniform": lambda generator, size: generator.uniform(-0.3, 0.3, size),
}


if __name__ == "__main__":
    main()
