"""Comparisons end to end: verdicts, costs, failures, and what JSON says of them."""

import json

import numpy as np
import pytest

import embassay
from embassay.errors import UsageError
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.paired import SwitchTerms, paired_differences
from embassay.evaluate.compare.verdict import Budgets
from embassay.evaluate.data.judged import JudgedSet
from tests.evaluate.compare.sample import BETTER, WORSE


def test_better_worse_and_equal(judged):
    told: list[int] = []
    found = embassay.compare([WORSE, BETTER, f"{WORSE}@f32"], judged, started=told.append, advance=told.append)
    assert found.verdict == "switch" and found.winner == BETTER and found.headline == "Switch to hash/64@lexical"
    better, same = found.deciding
    assert better.interval[0] > 0 and better.p <= 0.05 and better.wins > better.losses
    assert same.verdict == "undecided" and (same.wins, same.losses, same.difference) == (0, 0, 0.0)
    assert same.queries_needed == 300, "alike on 40 queries says little"
    assert told[0] == 300 == sum(told[1:]), "a bar that ends where it should"
    assert len(found.pairs) == 3 * len(found.metrics)
    hardest = found.hardest(3)
    assert hardest == sorted(hardest, key=lambda item: item[1])
    change = found.changed(better)[0]
    assert change.b > change.a and change.hits_b[0] in judged.qrels[change.query]


def test_json_is_as_documented(judged):
    data = json.loads(json.dumps(compare([WORSE, BETTER], judged).to_dict(per_query=True)))
    assert {"judged", "queries", "candidates", "pairs", "verdict", "winner"} <= set(data)
    first = data["candidates"][0]
    assert {"name", "space", "metrics", "latency_ms", "bytes_per_million", "usd_per_million_tokens"} <= set(first)
    assert {"p50", "p95"} <= set(first["latency_ms"]) and first["bytes_per_million"] == 64 * 4 * 1e6
    assert first["usd_per_million_tokens"] == 0 and len(first["per_query"]) == 40
    low, high = first["intervals"]["nDCG@10"]
    assert low <= first["metrics"]["nDCG@10"] <= high
    pair = data["pairs"][0]
    assert {
        "a",
        "b",
        "metric",
        "difference",
        "interval",
        "p",
        "wins",
        "ties",
        "losses",
        "verdict",
        "queries_needed",
    } <= set(pair)
    means = [row["metrics"]["nDCG@10"] for row in data["candidates"]]
    assert pair["difference"] == pytest.approx(means[1] - means[0])


def test_budgets_keep_the_cheap_one(judged):
    found = compare([WORSE, BETTER], judged, budgets=Budgets(p95_ms=0))
    assert found.verdict == "keep" and found.winner == WORSE and "over budget" in found.reason


def test_three_queries(judged):
    few = {q: judged.queries[q] for q in ("q1", "q2", "q3")}
    small = JudgedSet("small", judged.documents, few, {q: judged.qrels[q] for q in few})
    found = compare([WORSE, BETTER], small)
    assert found.verdict == "undecided" and found.winner is None and "too few" in found.reason
    assert "more judged queries would decide" in found.sentence


def test_all_ties(judged):
    found = compare([WORSE, f"{WORSE}@f32"], judged)
    assert found.verdict == "undecided" and found.changed(found.deciding[0]) == []
    assert "alike on 40 of 40 queries" in found.reason and found.detectable is None
    assert "No query tells them apart. If 260 more do not either" in found.sentence
    assert "would decide" not in found.sentence


def test_many_ties(judged):
    many = {f"{q}-{n}": text for q, text in judged.queries.items() for n in range(8)}
    data = JudgedSet("many", judged.documents, many, {q: judged.qrels[q.split("-")[0]] for q in many})
    assert compare([WORSE, f"{WORSE}@f32"], data).verdict == "keep"


def test_scores_do_not_depend_on_what_else_is_asked(judged):
    """A metric that looks deeper must not change how arms are fused."""
    names = [WORSE, f"{WORSE}@hybrid", f"{WORSE}@fusion=rrf@hybrid"]
    first = compare(names, judged, metrics=("nDCG@10",))
    deep = compare(names, judged, metrics=("nDCG@10", "AP", "R@1000"))
    for at in range(3):
        assert first.rows[at].metrics["nDCG@10"] == deep.rows[at].metrics["nDCG@10"]
    assert all(row.metrics["R@1000"] == 1.0 for row in deep.rows[:2]), "all documents are ranked"


def test_the_correction_is_for_what_is_asked():
    """More candidates cost power, but not for the comparisons among the others."""
    from embassay.evaluate.compare.costs import Costs
    from embassay.evaluate.compare.rows import Row

    generator = np.random.default_rng(0)
    costs = Costs({"p95": 1.0}, 1, 0.0)
    base = generator.random(200)
    rows = {}
    for at in range(5):
        scores = base + generator.normal(0.01 * at, 0.1, 200)
        rows[f"c{at}"] = Row(f"c{at}", costs=costs, per_query={f"q{n}": {"m": v} for n, v in enumerate(scores)})
    pairs = paired_differences(rows, ["m"], list(rows["c0"].per_query), SwitchTerms(0.01, Budgets()))
    assert len(pairs) == 10
    with_first = [pair for pair in pairs if pair.a == "c0"]
    smallest = min(with_first, key=lambda pair: pair.p_uncorrected)
    assert smallest.p == pytest.approx(min(1, 4 * smallest.p_uncorrected))
    others = min((pair for pair in pairs if pair.a != "c0"), key=lambda pair: pair.p_uncorrected)
    assert others.p == pytest.approx(min(1, 6 * others.p_uncorrected))


def test_a_defect_of_one_loses_nothing(judged, monkeypatch):
    from embassay.evaluate.compare.model_system import ModelSystem

    whole = ModelSystem.outcome

    def broken(self, *args):
        if self.name == BETTER:
            raise RuntimeError("onnx died")
        return whole(self, *args)

    monkeypatch.setattr(ModelSystem, "outcome", broken)
    found = compare([WORSE, BETTER], judged)
    assert "unexpected RuntimeError: onnx died" in found.rows[1].error and found.rows[0].metrics


@pytest.mark.parametrize("least", [float("nan"), -0.1])
def test_a_minimum_effect_is_a_number(judged, least):
    with pytest.raises(UsageError, match="minimum effect"):
        compare([WORSE, BETTER], judged, min_effect=least)


@pytest.mark.parametrize("names", [[], [WORSE], [WORSE, WORSE]])
def test_too_few_candidates(judged, names):
    with pytest.raises(UsageError, match="two different candidates"):
        compare(names, judged)


def test_a_home_that_is_not_there_yet_gets_the_cache(judged, tmp_path):
    found = compare(["hash/32", "hash/64"], judged, home=tmp_path / "new")
    assert len(found.rows) == 2 and (tmp_path / "new" / "cache.db").exists()
    assert (tmp_path / "new" / ".gitignore").exists(), "it is a home, which is not committed"
