"""Gates: what they mean, and what they refuse."""

import dataclasses
from pathlib import Path

import pytest

from embassay.errors import UsageError
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.evaluation import Evaluation
from embassay.evaluate.score.gates import Baseline, check_data, check_gates, parse_gate, read_baseline
from embassay.evaluate.score.metrics import intervals
from embassay.search.modes import pipeline

METRICS = {"nDCG@10": 0.70, "R@100": 0.9}


def made(**metrics):
    return Evaluation("docs/test", "abc", "model:384", "f32", pipeline("dense"), METRICS | metrics, {}, 1.0, 0.5)


def baseline(digest="abc", **metrics):
    return Baseline(Path("baseline.json"), "docs/test", digest, METRICS | metrics)


def results(gate, now=None, before=None):
    conditions = parse_gate(gate, ("nDCG@10", "R@100"), before)
    return [checked.ok for checked in check_gates(conditions, now or made(), before)]


def test_bounds():
    assert results("nDCG@10 >= 0.70, R@100 > 0.9") == [True, False]
    assert results("nDCG@10>=0.71") == [False] and results("R@100 <= 0.9") == [True]
    assert results("nDCG@10 >= 0.70", made(**{"nDCG@10": 0.1 + 0.6})) == [True], "rounding is no failure"


def test_drops():
    before = baseline(**{"nDCG@10": 0.72})
    assert results("drop <= 0.02", before=before) == [True]
    assert results("drop <= 0.019, R@100 drop <= 0", before=before) == [False, True]
    assert results("drop <= 0.0", before=baseline(**{"nDCG@10": 0.60})) == [True], "better is no drop"


@pytest.mark.parametrize(
    "gate",
    [
        "",
        ",",
        "nDCG@10",
        "nDCG@10 = 0.7",
        "nDCG@10 >= x",
        ">= 0.7",
        "nonsense@2 >= 0.7",
        "nDCG@10 >= 0.7.1",
        "nDCG@10 >= .",
        "drop",
    ],
)
def test_what_cannot_be_read(gate):
    with pytest.raises(UsageError):
        parse_gate(gate, ("nDCG@10",), baseline())


def test_a_drop_needs_a_baseline_that_has_it():
    with pytest.raises(UsageError, match=r"needs a baseline\. baseline='FILE'"):
        parse_gate("drop <= 0.1", ("nDCG@10",))
    with pytest.raises(UsageError, match=r"has no P@5.*metric='P@5'"):
        parse_gate("P@5 drop <= 0.1", ("nDCG@10",), baseline())
    judged = JudgedSet("docs/test", (), {"q": "t"}, {"q": {"d": 1}})
    with pytest.raises(UsageError, match="other queries or documents"):
        check_data(baseline("other"), judged)
    check_data(baseline(judged.digest), judged)


def test_baselines_that_are_none(tmp_path):
    file = tmp_path / "b.json"
    for text in (
        "",
        "[]",
        '{"metrics": {"a": NaN}, "judged": "j"}',
        '{"metrics": 3}',
        '{"metrics": {"a": "x"}, "judged": "j"}',
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match="not what an evaluation writes as JSON"):
            read_baseline(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_baseline(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("gate", "why"),
    [
        ("nDCG@10 >= 2", "can never hold: nDCG@10 is from 0 to 1. Write a share of 1, not a percentage."),
        ("nDCG@10 > 1", "can never hold: nDCG@10 is from 0 to 1."),
        ("R@100 < 0", "can never hold: R@100 is from 0 to 1."),
        ("R@100 <= -0.1", "can never hold"),
        ("R@100 <= 90", "always holds: R@100 is from 0 to 1. Write a share"),
        ("nDCG@10 >= -1", "always holds"),
        ("drop < -1", "can never hold: a drop of nDCG@10 is from -1 to 1."),
        ("drop <= 2", "always holds"),
        ("NumRet < 0", "can never hold: NumRet is at least 0."),
    ],
)
def test_gates_that_say_nothing(gate, why):
    with pytest.raises(UsageError) as refused:
        parse_gate(gate, ("nDCG@10",), baseline())
    assert why in str(refused.value)


def test_the_ends_of_the_range_are_bounds():
    for gate in ("nDCG@10 >= 1", "nDCG@10 <= 0", "nDCG@10 < 1", "drop <= 0", "drop >= -1", "NumRet >= 5"):
        assert parse_gate(gate, ("nDCG@10",), baseline())


def queries_of(scores):
    return {f"q{at}": {"nDCG@10": score} for at, score in enumerate(scores)}


def measured(scores):
    mean = sum(scores) / len(scores)
    found = Evaluation("docs/test", "abc", "m", "f32", pipeline("dense"), {"nDCG@10": mean}, queries_of(scores), 1, 1)
    return dataclasses.replace(found, intervals=intervals(found.per_query))


def test_a_gate_on_an_end_of_the_interval_holds_where_the_mean_would_not_be_enough():
    scores = [0.4, 0.8] * 50
    assert results("nDCG@10 >= 0.59, lower(nDCG@10) >= 0.59", measured(scores)) == [True, False]
    assert results("lower(nDCG@10) >= 0.55, upper(nDCG@10) <= 0.65", measured(scores)) == [True, True]
    (found,) = check_gates(parse_gate("lower(nDCG@10)>=0.59", ("nDCG@10",)), measured(scores), None)
    low, high = 0.6 - 1.96 * 0.2 / 10, 0.6 + 1.96 * 0.2 / 10
    assert found.value == pytest.approx(low, abs=0.004) and str(found.condition) == "lower(nDCG@10) >= 0.59"
    assert found.to_dict()["gate"] == "lower(nDCG@10) >= 0.59" and f"{high:.2f}" in found.detail
    (few,) = check_gates(parse_gate("lower(nDCG@10) >= 0.1", ("nDCG@10",)), measured(scores[:10]), None)
    assert "10 queries are too few" in few.detail


def test_the_interval_of_a_drop_is_that_of_the_same_queries():
    """Every query fell by 0.02 or by 0.04: the scores scatter far more than the drop does."""
    before = [0.1 + 0.008 * at for at in range(100)]
    after = [score - (0.02 if at % 2 else 0.04) for at, score in enumerate(before)]
    earlier = dataclasses.replace(baseline(**{"nDCG@10": sum(before) / 100}), per_query=queries_of(before))
    gate = "upper(drop) <= 0.033, lower(drop) >= 0.027, upper(drop) <= 0.031, lower(nDCG@10 drop) <= 0"
    assert results(gate, measured(after), earlier) == [True, True, False, False]
    with pytest.raises(UsageError, match=r"needs the scores of every query.*per_query=True"):
        parse_gate("upper(drop) <= 0.1", ("nDCG@10",), baseline())
    with pytest.raises(UsageError, match="other queries"):
        results("upper(drop) <= 0.1", measured(after[:50]), earlier)


@pytest.mark.parametrize("gate", ["lower(nDCG@10 >= 0.3", "lower() >= 0.3", "middle(nDCG@10) >= 0.3", "lower(x) > 2"])
def test_bounds_that_cannot_be_read(gate):
    with pytest.raises(UsageError):
        parse_gate(gate, ("nDCG@10",), baseline())
