"""Whether scores go with satisfaction, held against scipy, and what is said of too little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pointbiserialr

from embassay.monitor.report.agreement import agreement


def sample(better: float, count=200, seed=1):
    chance = np.random.default_rng(seed)
    satisfied = chance.random(count) < 0.6
    return np.round(chance.normal(0.5, 0.1, count) + better * satisfied, 2), satisfied


@pytest.mark.parametrize("better", [0.0, 0.1, -0.1])
def test_it_is_what_scipy_says(better):
    scores, satisfied = sample(better)
    found = agreement(scores, satisfied)
    expected = mannwhitneyu(scores[satisfied], scores[~satisfied]).statistic / (satisfied.sum() * (~satisfied).sum())
    assert found.auc == pytest.approx(expected)
    assert found.correlation == pytest.approx(pointbiserialr(satisfied, scores).statistic)
    low, high = found.interval
    assert 0 <= low < found.auc < high <= 1
    says = {0.0: "cannot be told", 0.1: "higher scores go with satisfied", -0.1: "go with unsatisfied"}
    assert says[better] in found.said


def test_the_interval_holds_the_truth_as_often_as_it_says():
    truth = 0.7602  # of two normal distributions that are one standard deviation apart
    inside = 0
    for seed in range(400):
        low, high = agreement(*sample(0.1, 80, seed)).interval
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_an_interval_next_to_one_has_a_width():
    scores = np.array([0.1] * 10 + [0.9] * 10)
    found = agreement(scores, scores > 0.5)
    assert found.auc == 1.0 and found.interval[1] == pytest.approx(1.0) and found.interval[0] < 0.95


def test_too_few_are_said_to_be_too_few():
    scores, satisfied = np.array([0.5] * 12 + [np.nan] * 5), np.array([True] * 10 + [False] * 7)
    found = agreement(scores, satisfied)
    assert (found.satisfied, found.unsatisfied, found.auc, found.interval) == (10, 2, None, None)
    assert "Not enough feedback" in found.said and "there are 10 and 2" in found.said


def test_equal_scores_have_no_correlation():
    found = agreement(np.full(40, 0.5), np.arange(40) < 20)
    assert found.auc == 0.5 and found.correlation is None
