"""The arithmetic of limits: against a bucket that is counted by hand, with clocks that jump."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from embassay.server.keys import rates


def test_a_minute_may_be_taken_at_once_and_comes_back_evenly():
    full, now = 0.0, 1000.0
    for _ in range(60):
        assert rates.wait_for(full, now, 1, 60) == 0
        full = rates.after(full, now, 1, 60)
    assert rates.wait_for(full, now, 1, 60) == pytest.approx(1.0)
    assert rates.left_over(full, now, 60) == rates.LeftOver(60, 0, 60.0)
    assert rates.wait_for(full, now + 1, 1, 60) == 0
    assert rates.left_over(full, now + 30, 60) == rates.LeftOver(60, 30, 30.0)


@given(
    some.lists(some.tuples(some.floats(0, 20), some.integers(1, 50)), min_size=1, max_size=60),
    some.integers(50, 5000),
)
def test_never_more_than_the_limit_and_what_time_brings(steps, limit):
    """The oracle is a bucket of real numbers that is filled step by step."""
    full, now, level = 0.0, 500.0, float(limit)
    for pause, amount in steps:
        now += pause
        level = min(limit, level + pause * limit / 60)
        if rates.wait_for(full, now, amount, limit) == 0:
            assert level >= amount - 0.01
            level -= amount
            full = rates.after(full, now, amount, limit)
        else:
            assert level < amount + 0.01
        assert abs(rates.left_over(full, now, limit).remaining - level) <= 1.01


def test_whoever_waits_as_long_as_was_said_is_let_in():
    full, now = rates.after(0.0, 77.0, 600, 600), 77.0
    wait = rates.wait_for(full, now, 50, 600)
    assert wait == pytest.approx(5.0)
    assert rates.wait_for(full, now + wait, 50, 600) == 0


def test_a_moment_from_before_the_machine_was_started_is_no_debt():
    """The clock of a machine that was just started is behind what was written before."""
    assert rates.full_at(864_000.0, 12.0) == 12.0
    assert rates.full_at(float("inf"), 12.0) == 12.0
    assert rates.full_at(-5.0, 12.0) == 12.0
    assert rates.full_at(72.0, 12.0) == 72.0


def test_a_debt_is_bounded_and_what_is_given_back_does_not_overflow():
    assert rates.after(100.0, 100.0, 10**9, 60) == 100.0 + rates.WINDOW + rates.MOST_DEBT
    assert rates.after(160.0, 100.0, -(10**9), 60) == 100.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0ms"), (0.012, "12ms"), (1, "1s"), (1.5, "1.5s"), (59.9996, "60s"), (60, "1m0s"), (361.2, "6m1s")],
)
def test_times_are_said_as_openai_says_them(seconds, said):
    assert rates.spoken(seconds) == said
