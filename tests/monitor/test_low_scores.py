"""Searches that score low: of a set whose documents are removed, of one that is left alone, and of configured scores."""

from __future__ import annotations

import random
import string
from contextlib import contextmanager

import numpy as np
import pytest

from embassay.config.values import Config, MonitorConfig, QueryLogConfig
from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.monitor import change
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.monitor.signals import low_scores
from embassay.monitor.thresholds import SearchFigures, Thresholds, calibrate
from embassay.monitor.twins import holds, judged_twins
from embassay.search.answered import FOREIGN
from embassay.session import Session
from embassay.sets.monitoring.marks import mark_of
from embassay.types import ArmScore, Chunk, Document, Hit

RECORDS, WINDOW = 240, 100
CHANCE = random.Random(7)
WORDS = ["".join(CHANCE.choices(string.ascii_lowercase, k=7)) for _ in range(400)]
"""A small vocabulary, so that records without the answer share some words with a question."""
TEXTS = {f"r{at}": CHANCE.choices(WORDS, k=30) for at in range(RECORDS)}
QUERIES = {f"q{at}": (f"r{at % RECORDS}", " ".join(CHANCE.sample(TEXTS[f"r{at % RECORDS}"], 5))) for at in range(480)}


@contextmanager
def watched(tmp_path, **wanted):
    """A monitor of a set of made-up records whose searches are logged."""
    config = Config(query_log=QueryLogConfig(queries="kept"), monitor=MonitorConfig(window=WINDOW, **wanted))
    with Session(config) as session, open_home(tmp_path / ".embassay", session=session) as home:
        docs = home.set("default")
        docs.upsert([{"id": name, "text": " ".join(words)} for name, words in TEXTS.items()], model="hash/256")
        yield Monitor(home, "default")


def judged(names):
    documents = tuple(Document(name, name, " ".join(words)) for name, words in TEXTS.items())
    of = [(name, *QUERIES[name]) for name in names]
    return JudgedSet("made", documents, {name: text for name, _, text in of}, {name: {one: 1} for name, one, _ in of})


CALIBRATING, ASKED = [*QUERIES][:RECORDS], [*QUERIES][RECORDS:]


def asked(monitor, names, **how):
    for name in names:
        monitor.set.search(QUERIES[name][1], **how)


def reading(monitor):
    (one,) = (one.reading for one in monitor.read() if one.signal == "low-scores")
    return one


def test_removed_documents_alert_and_others_do_not(tmp_path):
    with watched(tmp_path) as monitor:
        made = make_baseline(monitor, judged(CALIBRATING), "judged").parts["low-scores"]
        assert made["source"] == "judged" and made["both"]["good"] == RECORDS and made["both"]["caught"] > 0.5
        asked(monitor, ASKED[:WINDOW])
        before = reading(monitor)
        assert before.state == "ok" and before.value < 0.1 and not before.remedy
        monitor.set.delete(ids=[f"r{at}" for at in range(WINDOW) if at % 2])
        asked(monitor, ASKED[:WINDOW])
        after = reading(monitor)
        assert after.state == "alert" and 0.3 < after.value < 0.6
        assert after.figures["low"] == round(after.value * WINDOW) and 0.3 < after.figures["unanswered"] < 0.7
        assert f"of the last {WINDOW} different queries score low" in after.evidence
        assert "have no answer here" in after.evidence
        assert "embassay doctor --set default" in after.remedy.in_shell()


def test_searches_of_the_log_do_without_judgments(tmp_path):
    with watched(tmp_path) as monitor:
        asked(monitor, CALIBRATING)
        logged = Thresholds.read(make_baseline(monitor, None, "").parts["low-scores"])
        assert logged.source == "searches" and logged.best.good == RECORDS
        known = Thresholds.read(make_baseline(monitor, judged(CALIBRATING), "").parts["low-scores"])
        assert logged.best.warn == pytest.approx(known.best.warn, abs=0.05)
        assert logged.best.caught == pytest.approx(known.best.caught, abs=0.05)


def test_equal_queries_count_once(tmp_path):
    with watched(tmp_path) as monitor:
        make_baseline(monitor, judged(CALIBRATING), "")
        asked(monitor, ASKED[:20])
        for _ in range(60):
            monitor.set.search(f"{WORDS[0]} alpha beta gamma delta")
        found = reading(monitor)
        assert (found.state, found.figures["queries"]) == ("ok", 21) and 1 <= found.figures["low"] <= 4


def test_configured_scores_hold_for_the_best_hit_of_the_vectors(tmp_path):
    with watched(tmp_path, low_score_warn=0.99, low_score_alert=0.98) as monitor:
        asked(monitor, ASKED[:50])
        found = reading(monitor)
        assert (found.state, found.value) == ("alert", 1.0), "and nobody has seen yet what is usual"
        assert (found.figures["warn"], found.figures["alert"]) == (0.99, 0.98)
        assert make_baseline(monitor, judged(CALIBRATING), "").parts["low-scores"]["source"] == "configuration"
        assert reading(monitor).state == "ok", "so low they were when all was well"
    with watched(tmp_path, low_score_warn=0.01) as monitor:
        found = reading(monitor)
        assert (found.state, found.value) == ("ok", 0.0), "other thresholds than those of the baseline"


def test_what_cannot_be_told_is_unknown(tmp_path):
    with watched(tmp_path) as monitor:
        assert reading(monitor).evidence == "No search is in the log yet."
        asked(monitor, ASKED[:3], mode="lexical")
        make_baseline(monitor, judged(CALIBRATING), "")
        found = reading(monitor)
        assert found.state == "unknown" and "compared vectors" in found.evidence


def test_a_set_without_a_baseline_is_held_against_questions_about_other_things(tmp_path):
    things = ("the access key", "the signing key", "a storage volume", "a session token", "the audit log")
    places = ("gateway", "scheduler", "registry", "mailer")
    verbs = ("rotate", "restart", "back up", "delete")
    texts = [
        f"To {verb} {thing} of the {place}, stop it first." for verb in verbs for thing in things for place in places
    ]
    config = Config(query_log=QueryLogConfig(queries="kept"), monitor=MonitorConfig(window=len(FOREIGN)))
    with Session(config) as session, open_home(tmp_path / ".embassay", session=session) as home:
        docs = home.set("default")
        docs.upsert([{"id": f"r{at}", "text": text} for at, text in enumerate(texts)])
        for verb, thing, place in zip(verbs * 5, things * 4, places * 5, strict=True):
            docs.search(f"how do I {verb} {thing} of the {place}?")
        found = reading(Monitor(home, "default"))
        assert (found.state, found.value) == ("ok", 0) and "There is no baseline" in found.evidence
        for query in FOREIGN:
            docs.search(query)
        found = reading(Monitor(home, "default"))
        assert found.state == "alert" and found.value > 0.8


def test_a_small_set_without_a_baseline_says_what_to_do(docs):
    config = Config(query_log=QueryLogConfig(queries="kept"))
    with Session(config) as session, open_home(docs.parent / ".embassay", session=session) as home:
        home.index([docs], model="hash/64")
        home.search("rotate the key")
        found = reading(Monitor(home, "default"))
        assert found.state == "unknown"
        assert found.remedy.in_shell().endswith("embassay monitor baseline --judged DIR --set default")


@pytest.mark.parametrize("count", [40, 300])
def test_a_thousand_windows_without_a_change_hardly_alert(count):
    """Each held against a calibration of its own, of few searches or of many."""
    chance, alarms = np.random.default_rng(11), 0

    def searches(size, dense=0.6):
        return SearchFigures(
            chance.normal(dense, 0.1, size), chance.gamma(9, 1, size), chance.integers(2, 9, size) + 0.0
        )

    for _ in range(1_000):
        made = calibrate(searches(count), searches(count, 0.45), "judged")
        alarms += change.state_of(low_scores.chance_of(made.best, made.levels(searches(200)))) == "alert"
    assert alarms <= 10


def test_false_alarms_raise_what_is_usual():
    good = SearchFigures(np.linspace(0.5, 1, 200), np.full(200, np.nan), np.zeros(200))
    gone = SearchFigures(np.linspace(0.1, 0.6, 200), good.words, good.terms)
    scale = calibrate(good, gone, "judged").dense
    levels = np.repeat(np.array([1, 0], np.int8), [36, 164])
    assert [change.state_of(low_scores.chance_of(scale, levels, by)) for by in (1, 2, 8)] == ["alert", "warn", "ok"]


def hit(document, lines=(1, 9), **arms):
    chunk = Chunk("k", document, document, "", "text", 0, lines, (0, 4), 1)
    return Hit(1, 0.5, chunk, {label: ArmScore(1, score) for label, score in arms.items()})


def test_a_mark_has_the_best_of_each_arm_and_of_what_is_left_without_the_first_document():
    found = [hit("a", dense=0.5, lexical=7.0), hit("a", dense=0.9), hit("b", lexical=8.0), hit("c", dense=0.4)]
    mark = mark_of(found, 3)
    assert (mark.hits, mark.dense, mark.words, mark.terms) == (4, 0.9, 8.0, 3)
    assert (mark.other_dense, mark.other_words) == (0.4, 8.0)
    assert mark_of([hit("a", dense=0.5)], 2).words == 0, "words were looked for, and no hit has any"
    assert mark_of([hit("a", dense=0.5)], 0).words is None, "no words were looked for"
    assert mark_of([], 0) == mark_of([], 0) and mark_of([], 0).dense is None


def test_twins_lack_the_judged_places_and_no_others(tmp_path):
    with watched(tmp_path) as monitor:
        good, gone = judged_twins(monitor.set, judged(CALIBRATING[:20]))
        assert (good.words > gone.words).all() and (good.words > 2 * gone.words).mean() > 0.5
        assert (good.terms == gone.terms).all() and good.terms.max() == 5
        assert len(judged_twins(monitor.set, judged(CALIBRATING), most=7)[0]) == 7


@pytest.mark.parametrize(
    ("place", "held"),
    [("a.md", True), ("a.md#L1-9", True), ("a.md#L5-20", True), ("a.md#L9-40", False), ("b.md", False)],
)
def test_a_hit_holds_an_answer_where_it_covers_its_place(place, held):
    from embassay.evaluate.data.places import Place

    assert holds(hit("a.md"), [Place.parse(place)]) is held
