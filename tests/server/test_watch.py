"""A server watches the sets of its home: one of several does, and what it finds is told once."""

from __future__ import annotations

import time

import httpx
import pytest

from embassay.config.values import Config, MonitorConfig, QueryLogConfig, Seconds
from embassay.home import open_home
from embassay.monitor.watch import HomeWatch
from embassay.session import Session
from tests.server.conftest import running
from tests.servers import Answer, serving

NOT_FOUND = "xylophone quixotry"


def configured(url="", every=0.05, **monitor):
    watch = MonitorConfig(every=Seconds(every), webhook=url, **monitor)
    return Config(query_log=QueryLogConfig(queries="kept"), monitor=watch)


@pytest.fixture
def place(docs):
    with open_home(docs.parent / ".embassay") as home:
        home.index([docs], model="hash/64")
    return docs.parent / ".embassay"


def ask(home, query=NOT_FOUND, times=20):
    for _ in range(times):
        home.search(query, mode="lexical")
    assert home.query_log.count()


def until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def signals(home):
    return {one.signal for one in home.monitoring.alerts("default")}


def test_a_server_checks_what_is_searched_and_tells_the_webhook_once(place):
    with serving(lambda _: Answer({})) as hook, running(place, config=configured(hook.url)) as server:
        until(lambda: server.home.monitoring.latest("default"))
        assert "canary" in {one.signal for one in server.home.monitoring.latest("default")}, "asked at the start"
        ask(server.home)
        until(lambda: "zero-results" in signals(server.home))
        until(lambda: any(one.json["alert"]["signal"] == "zero-results" for one in hook.received))
        time.sleep(0.3)
        assert len(hook.received) == len({one.json["id"] for one in hook.received})


def test_of_two_servers_one_watches_and_the_other_takes_over(place):
    with serving(lambda _: Answer({})) as hook:
        config = configured(hook.url)
        with running(place, config=config) as first:
            until(lambda: first.server._watch._watch.is_ours)
            with running(place, config=config) as second:
                ask(second.home)
                until(lambda: "zero-results" in signals(first.home))
                assert not second.server._watch._watch.is_ours
                first.server._watch.close()
                until(lambda: second.server._watch._watch.is_ours)
        ids = [one.json["id"] for one in hook.received]
        assert len(ids) == len(set(ids))


def test_a_server_that_ends_waits_for_no_model_and_no_webhook(place):
    with serving(lambda _: Answer({}, delay=20.0)) as hook, running(place, config=configured(hook.url)) as server:
        ask(server.home)
        until(lambda: hook.received)
        began = time.monotonic()
        server.server.stop()
        until(lambda: server.server._uvicorn is None or not _answers(server.url))
        assert time.monotonic() - began < 15


def _answers(url):
    try:
        httpx.get(f"{url}/version")
    except httpx.TransportError:
        return False
    return True


def test_nothing_is_watched_where_that_is_said(place):
    with running(place, config=configured(every=0)) as server:
        assert not server.server._watch._thread.is_alive()


class Ticks:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch(place):
    with Session(configured()) as session, open_home(place, session=session) as home:
        ticks = Ticks()
        made = HomeWatch(home, clock=ticks)
        yield made, home, ticks
        made.close()


def read(checked):
    return {one.signal for check in checked for one in check.readings}


def test_sets_are_checked_when_they_were_searched_and_models_once_a_day(watch):
    made, home, ticks = watch
    assert {"zero-results", "canary"} <= read(made.look())
    ticks.now += 60
    assert made.look() == [], "nobody has searched"
    ask(home, times=1)
    found = read(made.look())
    assert "zero-results" in found and "canary" not in found
    ticks.now += 86_400
    assert "canary" in read(made.look())
    home.feedback(home.search("rotate the key", mode="lexical"), thumbs="up")
    assert made.look(), "feedback is news"


def test_sets_that_are_renamed_deleted_and_new(watch, docs):
    made, home, _ = watch
    made.look()
    home.rename_set("default", "guides")
    (checked,) = made.look()
    assert checked.set == "guides"
    home.index([docs], set="more", model="hash/64")
    assert [one.set for one in made.look()] == ["more"]
    home.delete_set("guides")
    home.delete_set("more")
    assert made.look() == []


def test_a_damaged_home_is_told_once(watch, caplog, monkeypatch):
    made, home, ticks = watch
    made.look()
    monkeypatch.setattr(type(home.monitoring), "standing", _damaged)
    for _ in range(3):
        ticks.now += 86_400
        assert made.look() == []
    assert len([one for one in caplog.records if "could not be checked" in one.getMessage()]) == 1


def _damaged(*_):
    from embassay.errors import HomeCorrupt

    raise HomeCorrupt("state.db is damaged (a test).")
