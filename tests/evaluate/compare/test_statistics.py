"""Bootstrap, randomisation, Holm and power: against scipy, by hand, and by what they promise over many simulations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from embassay.evaluate.compare.statistics import (
    bootstrap,
    detectable,
    difference_of_shares,
    differences,
    holm,
    queries_needed,
    randomisation,
    spread,
)


def columns(*values):
    return np.array(values, float).T


def test_bootstrap_is_that_of_scipy():
    data = np.random.default_rng(3).normal(0.05, 0.3, (150, 2))
    low, high = bootstrap(data)
    for at in range(2):
        theirs = stats.bootstrap((data[:, at],), np.mean, method="percentile", n_resamples=10_000, rng=1)
        assert low[at] == pytest.approx(theirs.confidence_interval.low, abs=0.003)
        assert high[at] == pytest.approx(theirs.confidence_interval.high, abs=0.003)


def their_p(data, resamples=20_000):
    result = stats.permutation_test(
        (data, np.zeros(len(data))), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples",
        n_resamples=resamples, vectorized=True, rng=1,
    )  # fmt: skip
    return result.pvalue


def test_randomisation_is_that_of_scipy():
    generator = np.random.default_rng(4)
    for mean in (0.0, 0.03, 0.06):
        data = generator.normal(mean, 0.3, 200)
        assert randomisation(columns(data))[0] == pytest.approx(their_p(data), abs=0.012)


def test_few_differences_are_tried_exactly():
    data = np.random.default_rng(5).normal(0.2, 0.3, 9)
    assert randomisation(columns(data))[0] == pytest.approx(their_p(data, 100_000))
    wins = np.zeros(300)
    wins[:4] = 0.5
    assert randomisation(columns(wins))[0] == 2 / 16, "296 ties tell nothing, 4 wins of 4 are the best of 16 signs"


@pytest.mark.parametrize("step", [1 - 1 / np.log2(3), 0.5, 1 / 3, 0.2, 0.1])
@pytest.mark.parametrize(("wins", "losses"), [(23, 11), (19, 8), (21, 9), (30, 14)])
def test_differences_of_ranks_take_few_values(step, wins, losses):
    """Of equal size they are a binomial test, whose sums tie with the observed one again and again."""
    data = np.zeros(200)
    data[:wins], data[wins : wins + losses] = step, -step
    exact = stats.binomtest(wins, wins + losses).pvalue
    assert randomisation(columns(data), resamples=40_000)[0] == pytest.approx(exact, abs=0.005)


def test_all_ties():
    (seen,) = differences(np.zeros((50, 1)))
    assert (seen.mean, seen.low, seen.high, seen.p, seen.deviation) == (0, 0, 0, 1, 0)
    assert (seen.wins, seen.ties, seen.losses) == (0, 50, 0)


def test_one_query():
    (seen,) = differences(np.array([[0.5]]))
    assert seen.p == 1 and seen.low == seen.high == 0.5 and seen.deviation == 0


def test_rounding_noise_is_no_difference():
    (seen,) = differences(np.full((40, 1), 1e-12))
    assert (seen.low, seen.high, seen.p, seen.ties) == (0, 0, 1, 40)


def test_equal_seeds_give_equal_answers():
    data = np.random.default_rng(6).normal(0, 1, (30, 3))
    assert differences(data, seed=7) == differences(data, seed=7)
    assert differences(data, seed=7) != differences(data, seed=8)


def test_columns_do_not_touch_each_other():
    data = np.random.default_rng(8).normal(0, 1, (60, 4))
    together = differences(data)
    for at in range(4):
        (alone,) = differences(data[:, [at]])
        assert alone.mean == pytest.approx(together[at].mean)
        assert alone.low == pytest.approx(together[at].low, abs=1e-5) and alone.p == together[at].p


def test_holm_by_hand():
    """Holm's own procedure: 0.01 * 4, 0.03 * 3, then never less than before."""
    assert holm([0.01, 0.04, 0.03, 0.2]) == pytest.approx([0.04, 0.09, 0.09, 0.2])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=100)
def test_holm_keeps_order_and_bounds(p):
    corrected = holm(p)
    assert all(raw <= new <= 1 for raw, new in zip(p, corrected, strict=True))
    order = sorted(range(len(p)), key=lambda at: p[at])
    assert [corrected[at] for at in order] == sorted(corrected)


def test_power_is_that_of_the_t_test():
    """The non-central t distribution, exactly, against the approximation."""
    for difference, deviation in ((0.03, 0.2), (0.05, 0.25), (0.1, 0.3)):
        queries = math.ceil(queries_needed(difference, deviation))
        critical = stats.t.ppf(0.975, queries - 1)
        power = stats.nct.sf(critical, queries - 1, difference / deviation * math.sqrt(queries))
        assert power == pytest.approx(0.80, abs=0.005)


@given(st.integers(10, 5000), st.floats(0.01, 0.6))
@settings(max_examples=100)
def test_what_is_detectable_needs_so_many_queries(queries, deviation):
    for least in (0.0, 0.01):
        effect = detectable(queries, deviation, min_effect=least)
        assert queries_needed(effect, deviation, min_effect=least) == pytest.approx(queries, rel=0.01)


def test_nothing_is_detectable_with_no_queries():
    assert detectable(1, 0.2) == math.inf
    assert queries_needed(0.0, 0.2) == queries_needed(0.01, 0.2, min_effect=0.01) == math.inf
    assert detectable(10_000, 0.01, min_effect=0.01) > 0.01


def test_spread():
    assert spread([]) == {"p50": None, "p95": None, "p99": None, "n": 0}
    assert spread(list(range(101)))["p95"] == 95


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
)
def test_the_interval_of_a_difference_of_shares_is_that_of_newcombe(a, b, low, high):
    """Table II of Newcombe (1998), method 10."""
    assert difference_of_shares(a, b) == pytest.approx((low, high), abs=6e-5)
