"""Tests of a change: how often they are wrong where there is none, and what they see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from embassay.monitor import change
from embassay.monitor.novelty import centroid_distance, directions, mmd_chance, novelty, typical
from embassay.monitor.searches import distinct_rows
from tests.monitor.windows import directions as around


def scores(count, seed, mean=0.0):
    return np.random.default_rng(seed).standard_normal(count) + mean


@pytest.mark.parametrize("baseline", [50, 300])
@pytest.mark.parametrize(
    "chance",
    [change.tail_chance, lambda a, b: change.ks_chance(a, b)[1], lambda a, b: change.psi_chance(a, b)[2]],
    ids=["tail", "ks", "psi"],
)
def test_a_chance_is_as_small_as_it_says_as_rarely_as_it_says(chance, baseline):
    found = np.array([chance(scores(baseline, (seed, 0)), scores(200, (seed, 1))) for seed in range(300)])
    for level in (0.1, 0.02):
        assert (found < level).mean() <= level + 3 * np.sqrt(level * (1 - level) / 300)


def test_a_few_of_another_kind_are_seen_in_the_tail_though_the_middle_is_the_same():
    usual, now = scores(300, 0), np.concatenate((scores(180, 1), scores(20, 2, mean=4)))
    assert change.tail_chance(usual, now) < change.CERTAIN < change.ks_chance(usual, now)[1]
    assert change.tail_chance(usual, -now) > change.LIKELY, "the other tail is the other tail"


def test_the_chance_of_a_tail_is_that_of_drawing_balls():
    usual, now = np.arange(30.0), np.arange(30.0, 60.0)  # the largest 13 are of the window, and the largest 26
    assert change.tail_chance(usual, now) == pytest.approx(2 * float(hypergeom.sf(25, 60, 26, 30)))
    assert change.tail_chance(usual[:5], now[:5]) == 1.0, "of so few nothing is certain"
    assert change.tail_chance(np.ones(50), np.ones(200)) == 1.0, "where all are equal there is no tail"


def test_a_psi_that_textbooks_call_a_change_is_none_of_a_small_baseline():
    found = [change.psi_chance(scores(50, (seed, 0)), scores(50, (seed, 1))) for seed in range(20)]
    assert max(index for index, _, _ in found) > 0.25 and min(chance for _, _, chance in found) > change.LIKELY
    moved = change.psi_chance(scores(50, 0), scores(50, 1, mean=2))
    assert moved[0] > moved[1] and moved[2] < change.CERTAIN


def test_a_tolerance_takes_away_the_alert_that_it_was_made_of():
    for chance in (1e-5, 1e-12, 0.0):
        assert change.state_of(chance) == "alert"
        assert change.state_of(chance, change.tolerated_at(chance)) != "alert"
    assert change.tolerated_at(0.5) == 1.0


def test_queries_of_another_topic_are_new_and_the_others_are_not():
    found = novelty(around(100), np.concatenate((around(150, seed=1), around(50, topic=3, seed=2))))
    assert found.new[150:].all() and found.new[:150].mean() < 0.15
    assert found.chance < change.CERTAIN < novelty(around(100), around(200, seed=1)).chance


def test_another_mix_of_known_topics_is_seen_by_the_discrepancy_alone():
    baseline = np.concatenate((around(150, 0), around(150, 1)))
    now = np.concatenate((around(180, 0, seed=1), around(20, 1, seed=2)))
    assert novelty(baseline, now).chance > change.LIKELY
    assert mmd_chance(baseline, now)[1] < change.CERTAIN
    even = np.concatenate((around(100, 0, seed=1), around(100, 1, seed=2)))
    assert mmd_chance(baseline, even)[1] > change.LIKELY


def test_directions_alone_are_compared_and_a_vector_of_zeros_is_no_error():
    rows = around(60)
    assert centroid_distance(rows, rows * 9) == pytest.approx(0, abs=1e-6)
    assert centroid_distance(rows, around(60, 5)) > 0.8
    assert np.isfinite(directions(np.zeros((3, 4)))).all()
    assert np.isfinite(novelty(np.zeros((30, 4)), np.zeros((30, 4))).now).all()
    assert np.isfinite(mmd_chance(np.ones((30, 4)), np.ones((30, 4)))).all()


def test_what_is_typical_is_in_the_middle_first_and_then_unlike_that():
    rows = np.concatenate((around(20, 0), around(3, 1), around(2, 2)))
    first, second, third = typical(rows, 3)
    assert first < 20 and {second >= 20, third >= 20} == {True} and typical(rows[:0], 3) == []


def test_equal_queries_count_once_in_a_stretch():
    assert distinct_rows(np.array([7, 7, 8, 7, 8, 8]), 3).tolist() == [0, 2, 3, 4]
    assert distinct_rows(np.array([7, 7, 8]), 0).tolist() == [0, 1, 2], "a window of none is one of each"
    assert distinct_rows(np.array([], int), 3).tolist() == []
