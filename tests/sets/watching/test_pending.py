"""Changes wait until they are due, and none is lost."""

from __future__ import annotations

import random
import threading

import pytest

from embassay.sets.watching import pending as module
from embassay.sets.watching.pending import LONGEST_SECONDS, QUIET_SECONDS, Due, Pending


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pending(clock):
    return Pending(clock)


def test_a_path_is_due_once_it_is_quiet(pending, clock):
    pending.add(["a"])
    clock.now += QUIET_SECONDS / 2
    pending.add(["a", "b"])
    clock.now += QUIET_SECONDS * 0.75
    assert pending.take(0) is None, "a was heard of again"
    clock.now += QUIET_SECONDS * 0.5
    assert pending.take(0) == Due(frozenset(("a", "b")))
    assert pending.take(0) is None and len(pending) == 0


def test_a_path_that_never_comes_to_rest_is_due_from_time_to_time(pending, clock):
    """A log that is written to all the time."""
    taken = 0
    for _ in range(int(4 * LONGEST_SECONDS / (QUIET_SECONDS / 2))):
        clock.now += QUIET_SECONDS / 2
        pending.add(["log"])
        taken += pending.take(0) is not None
    assert taken in (3, 4)


def test_everything_takes_the_place_of_paths(pending, clock):
    pending.add(["a"])
    pending.add_everything()
    pending.add(["b"])
    clock.now += 1
    assert pending.take(0) == Due(everything=True)
    assert pending.take(0) is None


def test_more_than_can_be_kept_is_everything(pending, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    pending.add(map(str, range(11)))
    assert len(pending) == 1
    clock.now += 1
    assert pending.take(0) == Due(everything=True)


def test_what_is_put_back_is_due_at_once(pending, clock):
    pending.add(["a"])
    clock.now += 1
    due = pending.take(0)
    pending.add(["b"])
    pending.put_back(due)
    assert pending.take(0) == Due(frozenset("a")), "b may still be being written"
    pending.put_back(Due(everything=True))
    pending.put_back(due)
    assert pending.take(0) == Due(everything=True)


def test_whoever_waits_is_woken_by_the_end():
    pending = Pending()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(pending.take(3600)))
    thread.start()
    pending.close()
    thread.join(60)
    assert taken == [None] and pending.closed


@pytest.mark.parametrize("seed", range(5))
def test_many_threads_lose_nothing(seed):
    pending, added, taken = Pending(), [], set()
    chance = random.Random(seed)

    def add(writer: int) -> None:
        for i in range(300):
            pending.add([f"{writer}/{i}"])
            added.append(f"{writer}/{i}")

    threads = [threading.Thread(target=add, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or len(pending):
        due = pending.take(1)
        if due and chance.random() < 0.3:
            pending.put_back(due)
        elif due:
            taken |= due.paths
    assert taken == set(added) and len(taken) == 1200
