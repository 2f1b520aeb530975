"""Verdicts, and how often they are wrong."""

import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.statistics import Difference, detectable, differences
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES, Budgets, decide


def seen(mean=0.05, low=0.02, high=0.08, *, queries=300, deviation=0.25):
    return Difference(mean, low, high, 0.001, deviation, queries, 100, 150, 50)


def test_switch_needs_all_three():
    assert decide(seen(), 0.01).verdict == "switch"
    assert decide(seen(low=-0.001), 0.01).verdict == "undecided", "the interval holds zero"
    assert decide(seen(), 0.06).verdict == "undecided", "not after correction"
    assert decide(seen(mean=0.008, low=0.002, high=0.014), 0.01).verdict == "undecided", "too small, as far as seen"


def test_keep():
    worse = decide(seen(mean=-0.05, low=-0.08, high=-0.02), 0.01)
    assert worse.verdict == "keep" and "worse" in worse.reason
    same = decide(seen(mean=0.001, low=-0.004, high=0.006), 0.8)
    assert same.verdict == "keep" and "0.01 is ruled out" in same.reason
    better_but_little = decide(seen(mean=0.004, low=0.001, high=0.007), 0.01)
    assert better_but_little.verdict == "keep"


def test_alike_on_few_queries_rules_nothing_out():
    """A gain that comes on 2 of 100 queries is not seen on 20, and often not on 100."""
    for queries, verdict in ((20, "undecided"), (100, "undecided"), (299, "undecided"), (300, "keep")):
        (alike,) = differences(np.zeros((queries, 1)))
        made = decide(alike, alike.p)
        assert made.verdict == verdict, queries
        assert verdict == "keep" or made.queries_needed == 300


def test_rare_gains_are_rarely_kept():
    generator = np.random.default_rng(5)
    for share, gain in ((0.02, 1.0), (0.05, 0.63)):
        for queries in (20, 50, 100):
            kept = 0
            for run in range(100):
                (found,) = differences((generator.random(queries) < share)[:, None] * gain, resamples=1000, seed=run)
                kept += decide(found, found.p).verdict == "keep"
            assert kept <= 5, (share, queries)


def test_near_the_minimum_effect_no_number_is_told():
    for mean in (0.0099, 0.00999999, 0.010001, 0.0101):
        assert decide(seen(mean=mean, low=-0.01, high=0.03, deviation=0.25), 0.2).queries_needed is None
    assert decide(seen(mean=0.012, low=-0.01, high=0.03, deviation=0.1), 0.2).queries_needed > 1500


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_budgets_are_numbers(value):
    with pytest.raises(UsageError, match="p95 latency of a query"):
        Budgets(p95_ms=value)


def test_budgets_come_first():
    budgets = Budgets(p95_ms=20, usd_per_million_tokens=0.1)
    broken = budgets.exceeded({"p95_ms": 25.0, "usd_per_million_tokens": None, "bytes_per_million": 1e12})
    assert len(broken) == 2 and "25" in broken[0] and "not known" in broken[1]
    made = decide(seen(), 0.001, exceeded=broken)
    assert made.verdict == "keep" and "over budget" in made.reason
    assert budgets.exceeded({"p95_ms": 20.0, "usd_per_million_tokens": 0.0}) == []


def test_three_queries_decide_nothing():
    made = decide(seen(mean=0.5, low=0.4, high=0.6, queries=3), 0.001)
    assert made.verdict == "undecided" and made.queries_needed >= MIN_QUERIES
    assert "3 judged queries are too few" in made.reason


def test_undecided_says_how_many_queries_would_decide():
    """A gain of 0.03 at a deviation of 0.25 needs ((1.96 + 0.84) * 0.25 / 0.03)**2 = 545 queries, and two more."""
    made = decide(seen(mean=0.03, low=-0.01, high=0.07), 0.2)
    assert made.queries_needed == pytest.approx(547, abs=2)
    nothing = decide(seen(mean=0.0, low=-0.03, high=0.03), 0.9)
    assert nothing.queries_needed == pytest.approx(4908, abs=4), "to rule a gain of 0.01 out"


def ranked_scores(generator, queries):
    """nDCG as real models have it: many at 1, some at 0, the rest between."""
    kind = generator.random(queries)
    return np.where(kind < 0.45, 1.0, np.where(kind < 0.7, 0.0, generator.random(queries)))


def verdict_of(a, b, seed):
    (found,) = differences((b - a)[:, None], resamples=1000, seed=seed)
    return decide(found, found.p).verdict


def test_equal_candidates_are_rarely_switched():
    """A against itself with a few queries that moved either way, as ties and int8 noise move them."""
    generator = np.random.default_rng(1)
    switches = 0
    for run in range(200):
        a = ranked_scores(generator, 200)
        moved = generator.random(200) < generator.choice([0.05, 0.3])
        b = np.where(moved, np.clip(a + generator.normal(0, 0.3, 200), 0, 1), a)
        swapped = generator.random(200) < 0.5  # neither of both is better
        switches += verdict_of(np.where(swapped, a, b), np.where(swapped, b, a), run) == "switch"
    assert switches <= 10


def test_power_is_as_promised():
    """Where 300 queries are said to show a gain of 0.03, at least 8 of 10 such comparisons say so."""
    generator = np.random.default_rng(2)
    for deviation in (0.10, 0.16):
        assert detectable(300, deviation, min_effect=MIN_EFFECT) <= 0.03
        found = sum(
            verdict_of(np.zeros(300), generator.normal(0.03, deviation, 300), run) == "switch" for run in range(150)
        )
        assert found / 150 >= 0.75, "0.80, less what 150 simulations scatter"


def test_a_gain_can_be_held_to_its_lower_bound():
    found = seen(mean=0.05, low=0.02, high=0.08)
    assert decide(found, 0.001, min_effect=0.03).verdict == "switch"
    held = decide(found, 0.001, min_effect=0.03, sure=True)
    assert held.verdict == "undecided" and "whether by 0.03 is open" in held.reason
    assert decide(found, 0.001, min_effect=0.02, sure=True).verdict == "switch"
    assert held.queries_needed == pytest.approx(((1.96 + 0.8416) * 0.25 / 0.02) ** 2 + 1.92, abs=2)
