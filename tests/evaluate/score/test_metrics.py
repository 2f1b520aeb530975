"""Metrics against two others: trec_eval itself, and their definitions written out."""

import math
import random

import pytest
import pytrec_eval

from embassay.errors import UsageError
from embassay.evaluate.score.metrics import DEFAULT_METRICS, canonical, deepest, mean, per_query
from embassay.evaluate.score.ranking import Run

NAMES = ("nDCG@10", "nDCG@3", "RR@10", "R@5", "R@100", "P@5", "AP@100", "Success@3", "Judged@10")


def written_out(grades, ranking):
    """The definitions, for one query: Järvelin and Kekäläinen's nDCG with linear gain, as trec_eval has it."""
    relevant = {d for d, grade in grades.items() if grade > 0}
    gains = [max(grades.get(d, 0), 0) for d in ranking]
    best = sorted((max(g, 0) for g in grades.values()), reverse=True)

    def dcg(values, k):
        return sum(v / math.log2(place + 2) for place, v in enumerate(values[:k]))

    def share(k):
        return sum(d in relevant for d in ranking[:k])

    first = next((place for place, d in enumerate(ranking[:10], 1) if d in relevant), None)
    precisions = [share(place) / place for place, d in enumerate(ranking[:100], 1) if d in relevant]
    return {
        "nDCG@10": dcg(gains, 10) / dcg(best, 10) if relevant else 0.0,
        "nDCG@3": dcg(gains, 3) / dcg(best, 3) if relevant else 0.0,
        "RR@10": 1 / first if first else 0.0,
        "R@5": share(5) / len(relevant) if relevant else 0.0,
        "R@100": share(100) / len(relevant) if relevant else 0.0,
        "P@5": share(5) / 5,
        "AP@100": sum(precisions) / len(relevant) if relevant else 0.0,
        "Success@3": float(share(3) > 0),
        "Judged@10": sum(d in grades for d in ranking[:10]) / min(10, len(ranking)) if ranking else 0.0,
    }


def random_data(seed, queries=40, depth=120):
    chance = random.Random(seed)
    pool = [f"d{at}" for at in range(300)]
    qrels, rankings = {}, {}
    for at in range(queries):
        judged = chance.sample(pool, chance.randint(1, 60))
        qrels[f"q{at}"] = {d: chance.choice([0, 0, 1, 1, 2, 3]) for d in judged} | {judged[0]: 1}
        rankings[f"q{at}"] = chance.sample(pool, chance.randint(1, depth))
    return qrels, Run(rankings)


@pytest.mark.parametrize("seed", range(5))
def test_as_defined(seed):
    qrels, run = random_data(seed)
    ours = per_query(qrels, run.scored(), NAMES)
    for query, grades in qrels.items():
        assert ours[query] == pytest.approx(written_out(grades, run.rankings[query]), abs=1e-9), query


@pytest.mark.parametrize("seed", range(3))
def test_as_trec_eval_ties_included(seed):
    """Given tied scores, trec_eval breaks ties by document id, and so do we where scores are given."""
    chance = random.Random(seed)
    qrels, run = random_data(seed)
    tied = {q: {d: float(chance.randint(0, 9)) for d in ids} for q, ids in run.rankings.items()}
    ours = per_query(qrels, tied, ("nDCG@10", "R@100", "P@5", "AP@100"))
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.100", "P.5", "map_cut.100"}).evaluate(tied)
    names = {"nDCG@10": "ndcg_cut_10", "R@100": "recall_100", "P@5": "P_5", "AP@100": "map_cut_100"}
    for query, values in ours.items():
        for name, their_name in names.items():
            assert values[name] == pytest.approx(theirs[query][their_name], abs=1e-9)


def test_a_run_is_scored_in_the_order_it_was_returned():
    """trec_eval would put equal scores in the order of their ids, which nobody saw."""
    run = Run({"q": ["a", "z"]})
    assert per_query({"q": {"a": 1}}, run.scored(), ["RR@10"])["q"]["RR@10"] == 1.0


def test_a_query_without_results_scores_zero():
    values = per_query({"q1": {"d": 1}, "q2": {"d": 1}}, Run({"q1": ["d"], "q2": []}).scored(), ["nDCG@10"])
    assert values["q2"] == {"nDCG@10": 0.0} and mean(values) == {"nDCG@10": 0.5}


def test_names():
    assert canonical(["nDCG@10", "MRR@10", "RR@10"]) == ("nDCG@10", "RR@10")
    assert deepest(["nDCG@10", "R@250"]) == 250 and deepest(["AP"]) == 1000
    for wrong in ("nonsense@3", "nDCG@x", "", "nDCG@0", "nDCG@10.5", "RBP", "SDCG@10", "ERR@10", "alpha_nDCG@10"):
        with pytest.raises(UsageError, match="nDCG@10"):
            canonical([wrong])


def test_metrics_by_hand():
    """q1 finds its only relevant document second, q2 nothing."""
    qrels = {"q1": {"d1": 1}, "q2": {"d1": 1, "d2": 1}}
    values = per_query(qrels, {"q1": {"d9": 2.0, "d1": 1.0}}, DEFAULT_METRICS)
    assert values["q1"] == pytest.approx(
        {"nDCG@10": 1 / math.log2(3), "R@100": 1.0, "RR@10": 0.5, "P@5": 0.2, "AP@100": 0.5}
    )
    assert set(values["q2"].values()) == {0.0}
    assert mean(values)["RR@10"] == 0.25


def test_unknown_metric():
    with pytest.raises(UsageError, match="nDCG@10"):
        per_query({"q": {"d": 1}}, {}, ["nonsense@3"])
