"""When it is enough: the number follows the spread alone, and stopping by it makes no winners out of chance."""

import numpy as np
import pytest

from embassay.evaluate.compare.statistics import detectable, differences
from embassay.evaluate.compare.verdict import MIN_EFFECT, decide
from embassay.evaluate.judge.label.power import power_of


def scores(gaps):
    return {"a": [0.0] * len(gaps), "b": list(gaps)}


def test_nothing_is_said_of_few_questions():
    found = power_of(scores([0.5] * 19))
    assert (found.judged, found.detectable, found.more, found.enough) == (19, None, 1, False)
    assert "fewer than 20" in found.sentence
    assert power_of(scores([0.0] * 40)).more is None and "hardly differ" in power_of(scores([0.0] * 40)).sentence


def test_it_does_not_see_who_is_ahead():
    gaps = np.random.default_rng(0).normal(0.1, 0.2, 30)
    turned = gaps * np.random.default_rng(1).choice([-1, 1], 30)
    assert power_of(scores(gaps)) == power_of(scores(turned)) == power_of(scores(-gaps))


def test_it_agrees_with_what_a_comparison_says():
    gaps = np.random.default_rng(0).normal(0, 0.2, 50)
    found = power_of(scores(gaps))
    spread = float(np.sqrt((gaps**2).mean()))
    assert found.detectable == pytest.approx(detectable(50, spread, min_effect=MIN_EFFECT))
    assert 50 + found.more == pytest.approx((2.8 * 0.2 / 0.05) ** 2, rel=0.4)
    assert power_of(scores(gaps), 0.2).enough and "Enough" in power_of(scores(gaps), 0.2).sentence


def test_more_candidates_need_more():
    gaps = np.random.default_rng(0).normal(0, 0.2, 50)
    assert power_of({**scores(gaps), "c": list(gaps)}).more > power_of(scores(gaps)).more


def false_switches(stop, runs=200, most=80):
    """Share of sittings with two equal candidates that end in a switch; `stop` says after which one somebody stops."""
    chance, wrong = np.random.default_rng(0), 0
    for _ in range(runs):
        gaps = chance.normal(0, 0.2, most) * (chance.random(most) < 0.6)
        wrong += stop(gaps)
    return wrong / runs


def is_switch(gaps):
    seen = differences(np.array(gaps)[:, None], resamples=1_000)[0]
    return decide(seen, seen.p).verdict == "switch"


def by_power(gaps):
    for count in range(20, len(gaps) + 1, 5):
        if power_of(scores(gaps[:count]), 0.08).enough:
            return is_switch(gaps[:count])
    return is_switch(gaps)


def by_peeking(gaps):
    return any(is_switch(gaps[:count]) for count in range(20, len(gaps) + 1, 5))


def test_stopping_by_the_spread_makes_no_winners_out_of_chance():
    assert false_switches(by_power) <= 0.05 < false_switches(by_peeking)
