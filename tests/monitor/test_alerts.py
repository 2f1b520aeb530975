"""Alerts: opened once, kept while they last, ended once, and tolerated where they were no alarm."""

from __future__ import annotations

import logging
import subprocess
import threading
from contextlib import contextmanager

import pytest

from embassay import remedy
from embassay.config.values import Config, MonitorConfig, QueryLogConfig
from embassay.errors import UsageError
from embassay.home import open_home
from embassay.monitor.monitor import Monitor, check_all
from embassay.session import Session
from embassay.sets.monitoring import readings as readings_module
from embassay.sets.monitoring.alerts import CheckFound, SignalState
from tests.disks import small_disk

MODEL = "hash/64"
FOUND, NOT_FOUND = "rotate the key", "xylophone quixotry"
SIGNAL = "zero-results"
STEP = remedy.command("doctor", set="docs", say="Look whether documents are gone: {}")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def watched(docs, window=20, place=None):
    """A monitor of a set over `docs` whose searches are logged, and its clock."""
    config = Config(query_log=QueryLogConfig(queries="kept"), monitor=MonitorConfig(window=window))
    with Session(config) as session, open_home(place or docs.parent / ".embassay", session=session) as home:
        home.index([docs], model=MODEL)
        clock = Clock()
        yield Monitor(home, "default", clock=clock), clock


def ask(monitor, query, times):
    for _ in range(times):
        monitor.home.search(query, mode="lexical")


def of_signal(monitor, *, on=True):
    return [one for one in monitor.home.monitoring.alerts("default", on=on) if one.signal == SIGNAL]


def found(state, *, signal=SIGNAL, subject="", value=0.5, at=0.0, space="s", signals=None):
    one = SignalState(signal, subject, state, value, f"{state} it is", STEP, {"usual": 0.1})
    return CheckFound("docs", space, at, signals or {signal}, [one])


@pytest.fixture
def tables(docs):
    with watched(docs) as (monitor, _):
        yield monitor.home.monitoring


def test_an_alert_is_opened_once_and_ends_after_two_good_checks(docs, caplog):
    with watched(docs) as (monitor, clock), caplog.at_level(logging.INFO, "embassay.monitor"):
        ask(monitor, NOT_FOUND, 20)
        began = clock.now
        first = monitor.check()
        (alert,) = of_signal(monitor)
        assert first.is_alarming and [one.event for one in first.changes] == ["opened"]
        assert (alert.since, alert.state, alert.value) == (began, "on", 1.0)
        assert alert.remedy.in_shell().endswith("embassay doctor --set default")
        clock.now += 60
        assert not monitor.check().changes, "an alert that is on is not opened again"
        assert [(one.id, one.since, one.seen) for one in of_signal(monitor)] == [(alert.id, began, began + 60)]

        ask(monitor, FOUND, 20)
        clock.now += 60
        once = monitor.check()
        assert once.is_alarming and not once.changes, "one good check does not end it"
        clock.now += 60
        twice = monitor.check()
        assert not twice.is_alarming and [one.event for one in twice.changes] == ["ended"]
        assert of_signal(monitor) == []
        (over,) = of_signal(monitor, on=False)
        assert (over.state, over.ended) == ("over", clock.now) and "2 checks" in over.reason
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and "found nothing" in told[0] and "has ended" in told[1]
    assert not any(NOT_FOUND in one for one in told)


def test_what_says_nothing_keeps_an_alert_and_what_comes_back_is_well_only_in_a_row(tables):
    opened = tables.keep_check(found("alert", at=1.0))
    for at, state in enumerate(("unknown", "ok", "unknown", "warn", "ok"), 2):
        assert tables.keep_check(found(state, at=float(at))) == []
    (alert,) = tables.alerts("docs")
    assert alert.id == opened[0].alert.id and alert.evidence == "warn it is" and alert.calm == 1
    (ended,) = tables.keep_check(found("ok", at=9.0))
    assert (ended.event, ended.alert.id, ended.alert.ended) == ("ended", alert.id, 9.0)


def test_a_subject_that_is_not_read_any_more_ends_unless_the_signal_could_not_be_read(tables):
    tables.keep_check(found("alert", subject="query", at=1.0))
    tables.keep_check(found("unknown", at=2.0))
    tables.keep_check(found("ok", signal="other", at=3.0))
    assert [one.calm for one in tables.alerts("docs")] == [0]
    tables.keep_check(found("ok", subject="document", at=4.0))
    (ended,) = tables.keep_check(found("ok", subject="document", at=5.0))
    assert ended.alert.subject == "query"


def test_a_set_in_another_space_has_no_alerts_of_the_old_one(tables):
    tables.keep_check(found("alert", at=1.0))
    (ended,) = tables.keep_check(found("ok", at=2.0, space="new"))
    assert ended.alert.state == "over" and "another space" in ended.alert.reason


def test_what_was_no_alarm_ends_and_does_not_alarm_again(docs):
    with watched(docs) as (monitor, _):
        ask(monitor, NOT_FOUND, 5)
        ask(monitor, FOUND, 15)
        monitor.check()
        (alert,) = of_signal(monitor)
        ended = monitor.dismiss(alert.id, "the quiz of the holidays")
        assert (ended.state, ended.reason) == ("false", "the quiz of the holidays")
        again = monitor.check()
        assert not again.is_alarming and not of_signal(monitor), "the same figure is no alarm any more"
        ask(monitor, NOT_FOUND, 20)
        assert monitor.check().is_alarming, "a much worse one is"
        with pytest.raises(UsageError, match="over already"):
            monitor.dismiss(alert.id)
        with pytest.raises(UsageError, match="there is no alert 99"):
            monitor.dismiss(99)


def test_two_monitors_at_once_open_one_alert(docs):
    with watched(docs) as (monitor, _):
        ask(monitor, NOT_FOUND, 20)
        assert not of_signal(monitor), "and what was logged is written"
        folder, opened, gate = docs.parent / ".embassay", [], threading.Barrier(4)

        def one() -> None:
            with Session(monitor.home.session.config) as session, open_home(folder, session=session) as home:
                gate.wait()
                (checked,) = check_all(home)
                opened.extend(change for change in checked.changes if change.event == "opened")

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([one for one in opened if one.alert.signal == SIGNAL]) == 1 == len(of_signal(monitor))


def test_readings_are_a_bounded_history(tables, monkeypatch):
    monkeypatch.setattr(readings_module, "MOST", 10)
    for minute in range(120):
        tables.keep_check(found("ok", at=60.0 * minute, value=float(minute)))
    kept = tables.readings("docs", SIGNAL)
    assert [one.value for one in kept] == [14.0, 29.0, 44.0, 59.0, 74.0, 89.0, 104.0, 119.0], (
        "the newest of each quarter"
    )
    tables.keep_check(found("alert", at=7141.0))
    assert [one.state for one in tables.readings("docs", SIGNAL, since=7100.0)] == ["ok", "alert"]
    for hour in range(100):
        tables.keep_check(found("ok", at=3600.0 * hour))
    assert len(tables.readings("docs", SIGNAL)) == 10
    (latest,) = tables.latest("docs")
    assert (latest.at, latest.state, latest.figures, latest.remedy) == (3600.0 * 99, "ok", {"usual": 0.1}, STEP)


def test_a_clock_that_goes_back_leaves_the_newest_reading_the_latest(tables):
    tables.keep_check(found("ok", at=9e9))
    tables.keep_check(found("alert", at=1.0))
    assert [one.state for one in tables.latest("docs")] == ["alert"]
    (alert,) = tables.alerts("docs")
    assert alert.since == 1.0


def test_the_latest_readings_of_all_sets_are_those_of_each(tables):
    for name in ("a", "b", "docs"):
        for at, signals in ((0.0, ("one", "two")), (9000.0, ("two", "three"))):
            says = [
                SignalState(signal, subject, "ok", at, "It is.", STEP, {})
                for signal in signals
                for subject in ("document", "query")
            ]
            tables.keep_check(CheckFound(name, "new" if at else "old", at, set(signals), says))
    expected = [
        (name, signal, subject, at)
        for name in ("a", "b", "docs")
        for signal, at in (("one", 0.0), ("three", 9000.0), ("two", 9000.0))
        for subject in ("document", "query")
    ]
    assert [(one.set_name, one.signal, one.subject, one.at) for one in tables.latest()] == expected
    assert [(one.set_name, one.signal, one.subject, one.at) for one in tables.latest("b")] == expected[6:12]
    assert {(one.signal, one.at) for one in tables.latest(space="old")} == {("one", 0.0), ("two", 0.0)}
    assert [one.signal for one in tables.latest("b", "new")] == ["three", "three", "two", "two"]
    assert not tables.latest("c") and len(tables.latest(limit=3)) == 3


def test_alerts_go_along_with_a_set_that_is_renamed_and_with_one_that_is_deleted(docs):
    with watched(docs) as (monitor, _):
        ask(monitor, NOT_FOUND, 20)
        monitor.check()
        monitor.home.rename_set("default", "guides")
        assert {one.set_name for one in monitor.home.monitoring.alerts()} == {"guides"}
        assert monitor.home.monitoring.latest("guides") and not monitor.home.monitoring.latest("default")
        monitor.home.delete_set("guides")
        assert not monitor.home.monitoring.alerts(on=False) and not monitor.home.monitoring.readings("guides")


def test_a_home_that_cannot_be_written_is_read_all_the_same(docs, tmp_path):
    with small_disk(tmp_path / "disk", "12m") as disk:
        with watched(docs, place=disk / "home") as (monitor, _):
            ask(monitor, NOT_FOUND, 20)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with open_home(disk / "home") as home:
            (checked,) = check_all(home)
            assert checked.is_alarming and not checked.alerts and "cannot be written" in checked.unkept
