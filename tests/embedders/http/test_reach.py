"""A service that cannot be connected to costs little, and one that is on its way back is waited for."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.reach import PATIENCE, Reach
from embassay.embedders.providers.openai import Settings, open_api
from embassay.embedders.wrap.breaker import COOL_DOWN
from embassay.errors import ProviderDown

REFUSED = FailedAttempt(ProviderDown("nobody is there."), "retry")
TIMED_OUT = FailedAttempt(ProviderDown("nothing came."), "retry", busy=True)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_what_never_answered_has_two_chances_and_then_a_pause(clock):
    reach = Reach(clock)
    assert reach.refused(REFUSED).action == "retry" and reach.barred() is None
    stopped = reach.refused(REFUSED)
    assert stopped.action == "stop" and stopped.error is REFUSED.error
    assert reach.barred() is stopped
    clock.now += COOL_DOWN + 1
    assert reach.barred() is None, "one may try again"
    assert reach.barred() is stopped, "the others wait for what comes of it"
    assert reach.refused(REFUSED).action == "stop"
    clock.now += COOL_DOWN + 1
    assert reach.barred() is not None, "the pause grows"
    clock.now += COOL_DOWN
    assert reach.barred() is None
    reach.reached()
    assert reach.barred() is None and reach.refused(REFUSED).action == "retry"


def test_a_way_that_takes_all_of_its_time_is_not_gone_twice(clock):
    assert Reach(clock).refused(TIMED_OUT).action == "stop"


def test_what_did_answer_is_waited_for(clock):
    reach = Reach(clock)
    reach.reached()
    for _ in range(20):  # of several threads at once
        assert reach.refused(REFUSED).action == "retry"
    clock.now += PATIENCE + 1
    assert reach.refused(REFUSED).action == "stop" and reach.barred() is not None


def test_a_closed_port_is_tried_twice_and_then_left_alone(monkeypatch):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and it refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        model = HttpEmbedder(open_api(Settings(model_id="m", base_url=url), None))
        tries: list[str] = []
        connection = model.exchange._connection
        received = connection._received
        monkeypatch.setattr(connection, "_received", lambda *said: (tries.append("one"), received(*said))[1])
        for _ in range(3):
            with pytest.raises(ProviderDown, match="did not answer"):
                model.embed(["text"], "query")
        assert tries == ["one", "one"]
