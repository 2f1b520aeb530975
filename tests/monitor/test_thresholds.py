"""Thresholds of scores: how they are fitted, at which place they stand, and what chance explains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from embassay import jsontext
from embassay.monitor.thresholds import (
    ALERT,
    FEWEST,
    RIDGE,
    UNTOLD,
    WARN,
    ScoreScale,
    SearchFigures,
    Thresholds,
    calibrate,
    fixed,
)


def drawn(count, dense, words, seed=0):
    """Searches whose best scores lie around these; each looks for two to ten words."""
    chance = np.random.default_rng(seed)
    terms = chance.integers(2, 11, count).astype(float)
    return SearchFigures(
        chance.normal(dense, 0.1, count), np.abs(chance.normal(words, 0.4, count)) * np.sqrt(terms), terms
    )


GOOD, GONE = drawn(400, 0.6, 3.0, 1), drawn(400, 0.4, 1.5, 2)


def test_a_threshold_stands_at_its_place_among_the_good():
    scale = calibrate(GOOD, GONE, "judged").both
    scores = scale.scores(GOOD)
    assert (scale.below_warn, scale.below_alert) == (int(WARN * 401), int(ALERT * 401)) == (14, 4)
    assert (scores < scale.warn).sum() == 13 and (scores < scale.alert).sum() == 3
    assert scale.caught == pytest.approx((scale.scores(GONE) < scale.warn).mean())


def test_they_catch_what_is_gone_better_by_both_arms_than_by_one():
    made = calibrate(GOOD, GONE, "judged")
    assert made.both.caught > 0.95 > made.dense.caught > 0.4
    fresh = made.levels(drawn(2_000, 0.6, 3.0, 3))
    assert 0.02 < (fresh >= 1).mean() < 0.06 and (fresh == 2).mean() < 0.025
    assert (made.levels(drawn(2_000, 0.4, 1.5, 4)) >= 1).mean() > 0.95


def test_the_weights_are_those_of_a_logistic_regression():
    scale = calibrate(GOOD, GONE, "judged").both
    rows = np.column_stack(
        [
            np.r_[a, b]
            for a, b in (
                (GOOD.dense, GONE.dense),
                *zip(*(map(np.log1p, (x.words, x.terms)) for x in (GOOD, GONE)), strict=True),
            )
        ]
    )
    answered = np.repeat([1.0, 0.0], 400)
    scaled = (rows - rows.mean(0)) / rows.std(0)

    def loss(found):
        sums = scaled @ found[1:] + found[0]
        return (np.logaddexp(0, sums) - answered * sums).sum() + RIDGE / 2 * (found[1:] ** 2).sum()

    found = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6}).x
    assert scale.weights == pytest.approx(found[1:] / rows.std(0), rel=1e-3)
    assert scale.offset == pytest.approx(found[0] - (found[1:] / rows.std(0)) @ rows.mean(0), rel=1e-3)


@pytest.mark.parametrize("factor", [0.1, 1, 10])
def test_another_range_of_scores_changes_nothing(factor):
    """As of a model whose cosines all lie close together, or of dot products."""

    def other(one):
        return SearchFigures(5 + factor * one.dense, one.words, one.terms)

    made, same = calibrate(other(GOOD), other(GONE), "judged"), calibrate(GOOD, GONE, "judged")
    assert (made.levels(other(GONE)) == same.levels(GONE)).mean() > 0.99
    assert made.both.caught == pytest.approx(same.both.caught, abs=0.01)


def test_a_better_score_never_makes_a_search_worse():
    backwards = calibrate(
        SearchFigures(GONE.dense, GOOD.words, GOOD.terms), SearchFigures(GOOD.dense, GONE.words, GONE.terms), "judged"
    )
    assert backwards.both.weights[0] == 0 and backwards.both.weights[1] > 0
    assert backwards.dense.weights == (0, 0, 0) and not (backwards.dense.scores(GOOD) < backwards.dense.warn).any()


def test_what_words_say_counts_only_where_they_were_looked_for():
    made = calibrate(GOOD, GONE, "judged")
    without = SearchFigures(GOOD.dense, np.full(400, np.nan), np.zeros(400))
    assert (made.levels(without) == Thresholds("judged", made.dense).levels(GOOD)).all()
    assert (made.levels(SearchFigures(np.full(2, np.nan), GOOD.words[:2], GOOD.terms[:2])) == UNTOLD).all()
    by_vectors = calibrate(without, SearchFigures(GONE.dense, without.words, without.terms), "judged")
    assert by_vectors.both is None and by_vectors.dense == made.dense


def test_too_few_make_none():
    few = np.arange(FEWEST)
    assert calibrate(GOOD.chosen(few), GONE.chosen(few), "judged") is not None
    assert calibrate(GOOD.chosen(few[1:]), GONE.chosen(few[1:]), "judged") is None
    assert calibrate(SearchFigures(*np.full((3, 100), np.nan)), GONE.chosen(np.arange(100)), "judged") is None


def test_equal_scores_flag_nothing():
    same = SearchFigures(np.full(50, 0.5), np.full(50, 2.0), np.full(50, 3.0))
    made = calibrate(same, same, "searches")
    assert (made.levels(same) == 0).all() and made.best.caught == 0


@pytest.mark.parametrize("good", [40, 200])
def test_chance_is_that_of_searches_as_good_as_the_calibrating_ones(good):
    """Both halves drawn anew each time: so often are so many of 200 below a threshold that stands at its place."""
    chance = np.random.default_rng(5)
    place, window, times = max(1, int(WARN * (good + 1))), 200, 20_000
    limits = np.sort(chance.random((times, good)), axis=1)[:, place - 1]
    below = chance.binomial(window, limits)
    scale = ScoreScale((1.0, 0.0, 0.0), 0.0, True, 0.5, 0.5, good, place, place)
    for count in (5, 15, 30):
        assert scale.chance(count, window, place) == pytest.approx((below >= count).mean(), abs=0.015)
    assert scale.chance(0, window, place) == 1


def test_wished_thresholds_are_raw_scores():
    made = fixed(0.7, 0.6, "configuration")
    figures = SearchFigures(np.array([0.8, 0.65, 0.5, np.nan]), np.zeros(4), np.zeros(4))
    assert made.levels(figures).tolist() == [0, 1, 2, UNTOLD]
    assert (made.best.below_warn, made.best.good) == (pytest.approx(3.5), 100)
    seen = fixed(0.7, 0.6, "configuration", SearchFigures(np.linspace(0.5, 1, 50), np.zeros(50), np.zeros(50)))
    assert (seen.best.below_warn, seen.best.below_alert, seen.best.good) == (21, 11, 50)


def test_it_is_written_down_and_read_again():
    made = calibrate(GOOD, GONE, "searches")
    assert Thresholds.read(jsontext.loads(jsontext.dumps(made.to_dict()))) == made
    for row in ({}, {"source": "judged"}, {"source": "moon", "dense": {}}, {**made.to_dict(), "dense": [1]}):
        assert Thresholds.read(row) is None


def test_it_says_what_it_is_in_words():
    made = calibrate(GOOD, GONE, "judged")
    assert str(made) == (
        f"low below a score of {made.both.warn:.3g}, very low below {made.both.alert:.3g} (made of 400 judged queries)"
    )
    assert str(fixed(0.7, 0.6, "configuration")) == (
        "low below a best raw score of the vectors of 0.7, very low below 0.6 (from the configuration)"
    )
