"""Signals that hold a window against what is usual: scores, topics, milliseconds, searches that find nothing."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.monitor.monitor import read_signal
from embassay.monitor.signals import drift, latency, scores, zero_results
from tests.monitor.windows import directions, sample, searches, watched

random = np.random.default_rng(0)
USUAL = random.normal(0.6, 0.1, 300)
LEARNT = scores.learn(sample(searches(300, dense=USUAL)))


def only(found):
    (one,) = found
    return one


@pytest.mark.parametrize("signal", [drift, latency, scores, zero_results])
def test_an_empty_log_is_no_error(signal):
    one = only(read_signal(signal, watched(searches(0))))
    assert one.state == "unknown" and one.evidence == "No search is in the log yet."


@pytest.mark.parametrize("signal", [drift, latency, scores, zero_results])
def test_one_query_is_no_error(signal):
    window = watched(searches(1), directions(1), baseline=directions(60), before=sample(searches(60)))
    one = only(read_signal(signal, window))
    assert one.state == ("ok" if signal is zero_results else "unknown") and one.evidence


@pytest.mark.parametrize("signal", [drift, scores])
def test_a_baseline_of_another_space_is_said_and_not_used(signal):
    window = watched(searches(200), directions(200), before=sample(searches(60), directions(60)), other_space=True)
    with pytest.raises(UsageError, match="was made in another space than model@") as caught:
        signal.read(window)
    assert caught.value.remedy.in_shell().endswith("embassay monitor baseline --judged DIR --set docs")


@pytest.mark.parametrize("signal", [drift, latency, scores])
def test_without_anything_to_hold_a_window_against_the_command_is_named(signal):
    with pytest.raises(UsageError, match="fewer than 50 came before it") as caught:
        signal.read(watched(searches(200), directions(200)))
    assert "embassay monitor baseline" in caught.value.remedy.in_shell()


@pytest.mark.parametrize("signal", [drift, latency, scores, zero_results])
def test_the_searches_before_stand_for_a_baseline_and_that_is_said(signal):
    before = sample(searches(100, dense=USUAL[:100]), directions(100))
    one = only(signal.read(watched(searches(200, dense=USUAL[:200]), directions(200, seed=1), before=before)))
    assert one.state == "ok" and "No baseline was made, so it is held against 100 searches before" in one.evidence


def test_lower_scores_alert_and_higher_ones_warn():
    states = {}
    for by in (-0.1, 0.0, 0.1):
        window = searches(200, dense=random.normal(0.6, 0.1, 200) + by)
        states[by] = only(scores.read(watched(window, known=LEARNT)))
    assert {by: one.state for by, one in states.items()} == {-0.1: "alert", 0.0: "ok", 0.1: "warn"}
    low = states[-0.1]
    assert "against 0.59" in low.evidence and "PSI" in low.evidence and low.remedy.in_shell()
    assert low.figures["psi"] > low.figures["psi_by_chance"] and low.value == pytest.approx(0.5, abs=0.03)


def test_a_few_scores_far_below_alert_though_the_middle_is_the_same():
    dense = random.normal(0.6, 0.1, 200)
    dense[:20] = 0.1
    assert only(scores.read(watched(searches(200, dense=dense), known=LEARNT))).state == "alert"


def test_an_alert_of_scores_is_none_where_it_is_tolerated():
    window = searches(200, dense=random.normal(0.5, 0.1, 200))
    one = only(scores.read(watched(window, known=LEARNT)))
    assert only(scores.read(watched(window, known=LEARNT, tolerance=one.tolerated_at))).state != "alert"


def test_searches_of_words_alone_have_no_score():
    one = only(scores.read(watched(searches(200, dense=np.nan), known=LEARNT)))
    assert one.state == "unknown" and "No search of the window compared vectors" in one.evidence
    assert scores.learn(sample(searches(200, dense=np.nan))) == {}


def test_one_query_that_is_asked_all_day_is_one():
    window = searches(200, query=np.minimum(np.arange(200), 25), dense=np.where(np.arange(200) < 25, USUAL[:200], 0.0))
    assert only(scores.read(watched(window, known=LEARNT))).state == "ok"
    few = searches(200, query=np.arange(200) % 7)
    assert "7 different queries with a score, and 20 are needed" in only(scores.read(watched(few))).evidence


def test_a_new_topic_alerts_and_its_queries_are_named():
    vectors = np.concatenate((directions(140, seed=1), directions(60, topic=3, seed=2)))
    one = only(drift.read(watched(searches(200), vectors, baseline=directions(100))))
    assert one.state == "alert" and "unlike those of the baseline" in one.evidence and one.value > 0.29
    assert len(one.examples) == 3 and one.examples[0] > 140, "the first is of the new topic"
    assert one.tolerated_at > 1 and "--from-log docs" in one.remedy.in_shell()


def test_known_topics_in_another_mix_are_told_from_new_ones():
    baseline = np.concatenate((directions(150, 0), directions(150, 1)))
    one = only(drift.read(watched(searches(200), directions(200, 0, seed=1), baseline=baseline)))
    assert one.state == "alert" and "The mix of topics is another." in one.evidence


def test_the_same_topics_are_well():
    one = only(drift.read(watched(searches(200), directions(200, seed=1), baseline=directions(100))))
    assert one.state == "ok" and not one.examples and one.figures["baseline"] == 100


def test_queries_without_vectors_and_vectors_that_are_none_are_no_error():
    one = only(read_signal(drift, watched(searches(200), baseline=directions(100))))
    assert one.state == "unknown" and "no vectors" in one.evidence and "query_log" in one.remedy.in_shell()
    vectors = directions(200, seed=1)
    vectors[:50] = np.inf
    assert only(drift.read(watched(searches(200), vectors, baseline=directions(100)))).figures["queries"] == 150
    few = watched(searches(200, query=np.arange(200) % 20), directions(200, seed=1), baseline=directions(100))
    assert only(drift.read(few)).figures["queries"] == 20


def test_what_most_stretches_say_of_milliseconds_counts():
    took = 20 * np.exp(0.3 * random.standard_normal(500))
    known = latency.learn(sample(searches(500, took_ms=took)))
    read = lambda took, **rest: only(latency.read(watched(searches(200, took_ms=took), known=known, **rest)))  # noqa: E731
    assert read(took[:200]).state == "ok"
    spell = np.where(np.arange(200) < 60, 10 * took[:200], took[:200])
    assert read(spell).state == "ok", "one slow spell is no news"
    assert read(1.7 * took[:200]).state == "warn"
    slow = read(3 * took[:200])
    assert slow.state == "alert" and slow.figures["usual_p50"] == pytest.approx(20, rel=0.1)
    assert read(3 * took[:200], tolerance=2).state == "warn"


def test_milliseconds_that_nobody_feels_are_no_news():
    known = latency.learn(sample(searches(500, took_ms=1.0)))
    assert only(latency.read(watched(searches(200, took_ms=5.0), known=known))).state == "ok"


def test_milliseconds_of_judged_queries_are_no_usual_ones():
    assert latency.learn(sample(searches(300), judged=object())) == {}
    one = only(latency.read(watched(searches(30), known={})))
    assert one.state == "unknown" and "too few to tell" in one.evidence


def test_what_a_small_baseline_knows_of_empty_answers_is_little():
    known = zero_results.learn(sample(searches(50)))
    window = searches(200, hits=np.where(np.arange(200) < 8, 0, 10))
    assert only(zero_results.read(watched(window, known=known))).state != "alert", "none of 50 may be 4 of 100"
    known = zero_results.learn(sample(searches(1000)))
    assert only(zero_results.read(watched(window, known=known))).state == "warn"
    window = searches(200, hits=np.where(np.arange(200) < 30, 0, 10))
    assert only(zero_results.read(watched(window, known=known))).state == "alert"
