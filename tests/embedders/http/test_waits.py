"""How long is waited before a service is asked again: as it asks, but never less than our own back-off."""

from __future__ import annotations

import json
import time

import pytest

from embassay.embedders.http.connection import BACKOFF, MAX_BACKOFF, backoff
from embassay.embedders.http.faults import LONGEST_WAIT, wait_asked
from embassay.errors import EmbassayError
from tests.embedders.http.services import model
from tests.servers import Answer, serving

AT_ONCE = ("0", "0.0", "-0", "-5", "-1e300", "1e-300", "nan", "-inf", "soon", "", "Wed, 21 Oct 2015 07:28:00 GMT")
DAYS = ("1e300", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "inf")
ODD = ("0x10", "1_0", "1,5", "²", "\x00", "(", "Wed, 99 Foo 99999 99:99:99 GMT", "Mon, 1 Jan 0001 00:00:00 +9999")


@pytest.mark.parametrize("asked", AT_ONCE)
def test_a_service_that_says_at_once_is_not_asked_at_once(asked):
    limited = Answer(b"{}", 429, {"Retry-After": asked})
    with serving(lambda request: limited) as server:
        with pytest.raises(EmbassayError):
            model(server, deadline=2.0).embed(["a"], "document")
        assert 2 <= len(server.received) <= 5


@pytest.mark.parametrize("attempt", [1, 2, 3, 5, 10, 100, 5_000])
@pytest.mark.parametrize("asked", [None, 0.0, 0.001])
def test_our_own_back_off_is_the_floor(attempt, asked):
    own = min(MAX_BACKOFF, BACKOFF * 2 ** min(attempt - 1, 10))
    assert all(own / 2 <= backoff(attempt, asked) <= own + 0.2 for _ in range(50))
    assert backoff(attempt, 30.0) >= 30


@pytest.mark.parametrize("value", [*AT_ONCE, *DAYS, *ODD])
@pytest.mark.parametrize("header", ["retry-after", "retry-after-ms", "x-ratelimit-reset"])
def test_what_is_asked_is_a_time_or_nothing(header, value):
    wait = wait_asked({header: value}, b"{}", "")
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("digits", ["0", "9" * 400, "1" + "0" * 20])
def test_times_in_bodies_and_messages_are_bounded_as_well(digits):
    body = json.dumps({"retryDelay": f"{digits}s"}).replace(" ", "").encode()
    for wait in (wait_asked({}, body, ""), wait_asked({}, b"{}", f"Please retry in {digits}s")):
        assert wait is not None and 0 <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("asked", DAYS[:3])
def test_a_wait_for_ever_ends_the_call_at_once(asked):
    limited = Answer(b"{}", 429, {"Retry-After": asked})
    with serving(lambda request: limited) as server:
        started = time.monotonic()
        with pytest.raises(EmbassayError) as caught:
            model(server, deadline=2.0).embed(["a"], "document")
    assert time.monotonic() - started < 1 and len(server.received) == 1
    assert len(str(caught.value)) < 300
