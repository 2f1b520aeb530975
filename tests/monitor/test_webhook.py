"""Alerts that are sent to an address: once each, whatever the address does and however many deliver."""

from __future__ import annotations

import threading
import time

import pytest

from embassay.config.reading import load_config
from embassay.config.values import Config, MonitorConfig
from embassay.errors import ConfigError, ConfigNotAgreed
from embassay.home import open_home
from embassay.monitor import webhook
from embassay.monitor.webhook import Deliverer, checked_webhook, deliver
from embassay.sets.monitoring import notices
from tests.monitor.test_alerts import Clock, found
from tests.servers import Answer, Server, serving


@pytest.fixture
def tables(docs):
    with open_home(docs.parent / ".embassay") as home:
        home.index([docs], model="hash/64")
        yield home.monitoring


def told(server):
    return [one.json for one in server.received]


def test_an_alert_that_is_opened_and_ended_is_sent_once_each(tables):
    tables.keep_check(found("alert", at=1.0), notify=True)
    tables.keep_check(found("alert", at=2.0), notify=True)
    with serving(lambda _: Answer({})) as server:
        assert deliver(tables, server.url).sent == 1
        for at in (3.0, 4.0):
            tables.keep_check(found("ok", at=at), notify=True)
        assert deliver(tables, server.url).sent == 1
        assert deliver(tables, server.url) == webhook.SentNotices(0, 0)
        opened, ended = told(server)
        assert (opened["event"], ended["event"]) == ("opened", "ended")
        assert opened["alert"]["signal"] == "zero-results" and opened["alert"]["set"] == "docs"
        assert "alert it is" in opened["text"] and "embassay doctor --set docs" in opened["text"]
        assert ended["alert"]["state"] == "over" and "2 checks" in ended["text"]
        keys = [one.headers["idempotency-key"] for one in server.received]
        assert keys == [opened["id"], ended["id"]] and len(set(keys)) == 2
    assert tables.notices_waiting() == []


def test_nothing_is_kept_for_nobody(tables):
    tables.keep_check(found("alert", at=1.0))
    assert tables.notices_waiting() == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Answer(status=404),
        Answer(status=400),
    ],
)
def test_what_fails_is_tried_again_after_a_pause_and_no_redirect_is_followed(tables, answer):
    clock, wrong = Clock(), True
    tables.keep_check(found("alert", at=clock.now), notify=True)
    with serving(lambda _: answer if wrong else Answer({})) as server:
        assert deliver(tables, server.url, clock=clock).failed == 1
        assert deliver(tables, server.url, clock=clock).failed == 0, "it is not due yet"
        clock.now += notices.FIRST
        assert deliver(tables, server.url, clock=clock).failed == 1
        wrong = False
        clock.now += notices.FIRST
        assert deliver(tables, server.url, clock=clock).sent == 0, "the pause has doubled"
        clock.now += notices.FIRST
        assert deliver(tables, server.url, clock=clock).sent == 1
        assert len({one.json["id"] for one in server.received}) == 1 and len(server.received) == 3


def test_an_address_that_stays_down_is_given_up_and_the_end_is_told_behind_the_beginning(tables, caplog):
    clock = Clock()
    server = Server(lambda _: Answer({}))
    server.close()
    tables.keep_check(found("alert", at=clock.now), notify=True)
    for _ in range(2):
        tables.keep_check(found("ok", at=clock.now), notify=True)
    for _ in range(notices.MOST_TRIES):
        assert deliver(tables, server.url, clock=clock).failed == 1
        clock.now += notices.LONGEST
    (opened, ended) = tables.notices_waiting()
    assert opened[1] == "opened" and opened[2] is None and opened[3] == notices.MOST_TRIES and opened[4]
    assert ended[1] == "ended" and ended[3] == 0
    said = [one.getMessage() for one in caplog.records]
    assert len(said) == 2 and "tried again" in said[0] and "not tried again" in said[1]
    with serving(lambda _: Answer({})) as again:
        assert deliver(tables, again.url, clock=clock).sent == 1 and told(again)[0]["event"] == "ended"


def test_a_huge_answer_is_not_read_and_a_slow_one_is_given_up(tables, monkeypatch):
    monkeypatch.setattr(webhook, "SECONDS", 0.5)
    monkeypatch.setattr(webhook, "CONNECT_SECONDS", 0.5)
    tables.keep_check(found("alert", at=1.0), notify=True)
    with serving(lambda _: Answer(b"x" * 50_000_000)) as server:
        assert deliver(tables, server.url).sent == 1
    tables.keep_check(found("alert", signal="other", at=1.0), notify=True)
    with serving(lambda _: Answer({}, delay=3.0)) as server:
        assert deliver(tables, server.url).failed == 1
    with serving(lambda _: Answer({}, status=200, headers={f"X-{at}": "a" for at in range(3)}, drip=0.5)) as server:
        clock = Clock()
        clock.now = time.time() + notices.LONGEST
        assert deliver(tables, server.url, clock=clock).sent == 1, "the status has come"


def test_of_two_that_deliver_one_sends(docs, tables):
    for signal in range(20):
        tables.keep_check(found("alert", signal=f"s{signal:02}", at=1.0), notify=True)
    with serving(lambda _: Answer({}, delay=0.01)) as server, open_home(docs.parent / ".embassay") as other:
        done = []
        threads = [
            threading.Thread(target=lambda one=one: done.append(deliver(one, server.url)))
            for one in (tables, other.monitoring, tables)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [one["id"] for one in told(server)]
        assert sum(one.sent for one in done) == 20 == len(ids) == len(set(ids))


def test_what_a_process_that_died_had_taken_is_taken_again(tables):
    clock = Clock()
    tables.keep_check(found("alert", at=clock.now), notify=True)
    assert tables.take_notice(clock.now) and tables.take_notice(clock.now) is None
    clock.now += notices.TAKEN
    assert tables.take_notice(clock.now).tries == 2


def test_a_clock_that_goes_back_holds_nothing_up(tables):
    tables.keep_check(found("alert", at=9e9), notify=True)
    assert tables.take_notice(1_800_000_000.0)


def test_what_waits_is_bounded(tables, monkeypatch):
    monkeypatch.setattr(notices, "MOST_WAITING", 5)
    for signal in range(9):
        tables.keep_check(found("alert", signal=f"s{signal}", at=1.0), notify=True)
    assert tables.take_notice(2.0).alert.signal == "s4"
    assert len(tables.notices_waiting()) == 5


def test_a_thread_delivers_and_ends_at_once(tables):
    with serving(lambda _: Answer({})) as server:
        tables.keep_check(found("alert", at=1.0), notify=True)
        deliverer = Deliverer(lambda: tables, server.url, every=0.01)
        deliverer.start()
        while tables.notices_waiting():
            time.sleep(0.01)
        deliverer.close()
        assert len(server.received) == 1
        assert not deliverer._thread.is_alive()


@pytest.mark.parametrize(
    "address",
    ["ftp://a.example/x", "file:///etc/passwd", "hooks.example/x", "http://", "http://169.254.169.254/latest",
     "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0/", "http://224.0.0.1/", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook(address):
    with pytest.raises(ConfigError, match=r"monitor\.webhook"):
        checked_webhook(Config(monitor=MonitorConfig(webhook=address)))


def test_a_configuration_that_was_found_names_no_webhook(tmp_path, monkeypatch):
    (tmp_path / "embassay.yaml").write_text("monitor: {webhook: 'https://evil.example/x'}\n")
    monkeypatch.chdir(tmp_path)
    config = load_config()
    with pytest.raises(ConfigNotAgreed, match="alerts"):
        checked_webhook(config)
    assert checked_webhook(load_config(tmp_path / "embassay.yaml")) == "https://evil.example/x"
