"""The signals of what people do with hits: few searches do not alarm, many do."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.config.values import MonitorConfig
from embassay.monitor.base import BaselineSample, WatchedSet
from embassay.monitor.monitor import read_signal
from embassay.monitor.searches import Searches
from embassay.monitor.signals import first_click, satisfaction


class Named:
    name = "docs"


def watched(searches, known=None, **config):
    return WatchedSet(Named(), None, searches, lambda: ([], []), MonitorConfig(**config), 0.0, known or {})


def with_feedback(satisfied, unsatisfied, silent=0):
    rows = [(1, 1)] * satisfied + [(0, 1)] * unsatisfied + [(0, 0)] * silent
    return Searches.of_rows([{"satisfied": yes, "feedback": given} for yes, given in rows])


@pytest.mark.parametrize(
    ("satisfied", "unsatisfied", "state"),
    [
        (0, 3, "ok"),
        (3, 0, "ok"),
        (0, 6, "alert"),
        (70, 30, "ok"),
        (65, 35, "ok"),
        (60, 40, "ok"),
        (58, 42, "warn"),
        (50, 50, "alert"),
        (90, 10, "ok"),
    ],
)
def test_satisfaction(satisfied, unsatisfied, state):
    (found,) = read_signal(satisfaction, watched(with_feedback(satisfied, unsatisfied, 50)))
    assert found.state == state and found.value == satisfied / (satisfied + unsatisfied)
    assert ("embassay monitor report --set docs" in found.remedy.in_shell()) == (state != "ok")


def test_where_nobody_says_anything_it_cannot_be_told():
    (found,) = satisfaction.read(watched(with_feedback(0, 0, 200)))
    assert found.state == "unknown" and "embassay feedback" in found.remedy.in_shell()


def test_what_is_wanted_is_configured():
    assert satisfaction.read(watched(with_feedback(50, 50), satisfied=0.4))[0].state == "ok"
    assert satisfaction.read(watched(with_feedback(80, 20), satisfied=0.95))[0].state == "alert"


def clicks(ranks):
    return Searches.of_rows([{"first_click": int(rank)} for rank in ranks])


def learnt(ranks):
    return first_click.learn(BaselineSample(Named(), None, clicks(ranks), np.zeros((0, 2)), None, MonitorConfig()))


def test_first_clicks_that_go_down_are_told():
    chance = np.random.default_rng(5)
    usual = np.minimum(chance.geometric(0.5, 400), 10)
    known = learnt(usual)
    (same,) = first_click.read(watched(clicks(np.minimum(chance.geometric(0.5, 100), 10)), known))
    assert same.state == "ok"
    (worse,) = first_click.read(watched(clicks(np.minimum(chance.geometric(0.2, 100), 10)), known))
    assert worse.state == "alert" and worse.value > worse.figures["usual"]


def test_chance_seldom_alarms():
    chance = np.random.default_rng(6)
    known = learnt(np.minimum(chance.geometric(0.5, 200), 10))
    states = [first_click.read(watched(clicks(chance.geometric(0.5, 40)), known))[0].state for _ in range(500)]
    assert states.count("alert") <= 2


def test_few_clicks_say_nothing():
    assert learnt([1] * 5) == {}
    assert first_click.read(watched(clicks([]), {}))[0].state == "unknown"
    (few,) = first_click.read(watched(clicks([1, 2, 9, 0, 0]), learnt([1] * 50)))
    assert few.state == "unknown" and few.value == 4.0
    assert first_click.read(watched(clicks([1] * 50), {"ranks": "damaged"}))[0].state == "unknown"
