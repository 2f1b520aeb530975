"""Baselines: what they are made of, and that signals are held against them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from embassay.config.values import Config, QueryLogConfig
from embassay.errors import UsageError
from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.monitor.base import FEWEST
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.session import Session
from embassay.types import Document

MODEL = "hash/64"
FOUND, NOT_FOUND = "rotate the key", "xylophone quixotry"


@contextmanager
def watched(docs):
    """A monitor of a set over `docs` whose searches are logged."""
    config = Config(query_log=QueryLogConfig(queries="kept"))
    with Session(config) as session, open_home(docs.parent / ".embassay", session=session) as home:
        home.index([docs], model=MODEL)
        yield Monitor(home, "default")


def judged(*queries: str) -> JudgedSet:
    document = Document("docs/keys.md", "keys", "rotate the key")
    texts = {f"q{at}": query for at, query in enumerate(queries)}
    return JudgedSet("some", (document,), texts, {name: {document.id: 1} for name in texts})


def asked(monitor, query, times=1):
    for _ in range(times):
        monitor.home.search(query, mode="lexical")


def reading(monitor, signal):
    (one,) = (one.reading for one in monitor.read() if one.signal == signal)
    return one


def test_one_is_made_of_judged_queries(docs):
    with watched(docs) as monitor:
        made = make_baseline(monitor, judged(FOUND, "the other key"), "judged")
        assert (made.set, made.space, made.searches) == ("default", monitor.space.digest, 2)
        kept = monitor.home.monitoring.baseline("default", monitor.space.digest)
        assert kept.judged == "judged" and len(kept.vectors) == 2 * 64 * 4
        assert monitor.home.query_log.count() == 0, "a measurement is no search of anybody's"


def test_one_is_made_of_searches_where_there_are_enough(docs):
    with watched(docs) as monitor:
        asked(monitor, FOUND, FEWEST - 1)
        with pytest.raises(UsageError, match=f"{FEWEST - 1} searches are in the log"):
            make_baseline(monitor, None, "")
        asked(monitor, FOUND)
        assert make_baseline(monitor, None, "").searches == FEWEST


def test_it_belongs_to_its_space(docs):
    with watched(docs) as monitor:
        make_baseline(monitor, judged(FOUND), "")
        assert monitor.home.monitoring.baseline("default", "another space") is None


def test_it_goes_along_with_its_set_and_goes_with_it(docs):
    with watched(docs) as monitor:
        make_baseline(monitor, judged(FOUND), "")
        space = monitor.space.digest
        monitor.home.rename_set("default", "manual")
        assert monitor.home.monitoring.baseline("manual", space) is not None
        monitor.home.delete_set("manual")
        assert monitor.home.monitoring.baseline("manual", space) is None


def test_searches_that_find_nothing_alert_where_they_are_more_than_usual(docs):
    with watched(docs) as monitor:
        assert reading(monitor, "zero-results").state == "unknown"
        asked(monitor, FOUND, 50)
        assert reading(monitor, "zero-results").state == "ok"
        asked(monitor, NOT_FOUND, 3)
        for at in range(7):
            asked(monitor, f"xylophone{at} quixotry{at}")
        one = reading(monitor, "zero-results")
        assert one.state == "alert" and "10 of the last 60 searches found nothing" in one.evidence
        assert one.remedy.in_shell().endswith("embassay doctor --set default")


def test_one_query_that_finds_nothing_is_a_warning_until_it_is_many_of_all_searches(docs):
    with watched(docs) as monitor:
        asked(monitor, FOUND, 50)
        asked(monitor, NOT_FOUND, 10)
        assert reading(monitor, "zero-results").state == "warn"
        asked(monitor, NOT_FOUND, 10)
        assert reading(monitor, "zero-results").state == "alert"


def test_what_is_usual_comes_from_the_baseline(docs):
    with watched(docs) as monitor:
        asked(monitor, FOUND, 50)
        asked(monitor, NOT_FOUND, 10)
        make_baseline(monitor, None, "")
        assert reading(monitor, "zero-results").state == "ok"


def test_marks_go_with_the_log(docs):
    with watched(docs) as monitor:
        asked(monitor, FOUND, 3)
        assert len(monitor.searches(monitor.space, 10)) == 3
        monitor.home.query_log.clear()
        assert len(monitor.searches(monitor.space, 10)) == 0


def test_what_a_wrong_clock_dated_into_the_future_is_not_the_newest_for_ever(docs):
    with watched(docs) as monitor:
        asked(monitor, FOUND, 3)
        now = time.time()
        said = [reading(Monitor(monitor.home, "default", clock=lambda at=at: at), "zero-results") for at in (now, 1e9)]
        assert said[0].state == "ok" and said[1].evidence == "No search is in the log yet."


def test_a_baseline_of_another_space_is_said_and_not_used(docs):
    with watched(docs) as monitor:
        make_baseline(monitor, judged(*(f"key {at}" for at in range(60))), "")
        for at in range(30):
            monitor.home.search(f"key {at}")
        assert reading(monitor, "scores").state != "unknown"
        monitor.home.index([docs], set="other", model="hash/128")
        other = Monitor(monitor.home, "other")
        for at in range(30):
            monitor.home.search(f"key {at}", set="other")
        assert "fewer than 50 came before" in reading(other, "scores").evidence
        row = monitor.home.monitoring.baseline("default", monitor.space.digest)
        monitor.home.monitoring.keep_baseline(replace(row, set_name="other"))  # as a migration leaves it
        for signal in ("scores", "drift"):
            one = reading(other, signal)
            assert one.state == "unknown" and "was made in another space" in one.evidence
            assert "embassay monitor baseline" in one.remedy.in_shell()
