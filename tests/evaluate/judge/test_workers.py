"""Requests at once: results as they come, errors after what was begun."""

import threading

import pytest

from embassay.evaluate.judge.workers import as_they_come


def test_results_come_as_they_are_ready():
    """The first item waits until the second one has been handed on."""
    second_is_out = threading.Event()

    def work(item):
        if item == 1:
            assert second_is_out.wait(30)
        return item * 10

    found = []
    for item, result in as_they_come([1, 2], work, at_once=2):
        found.append((item, result))
        if item == 2:
            second_is_out.set()
    assert found == [(2, 20), (1, 10)]


def test_no_more_than_so_many_at_once():
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=30)

    def work(item):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait()
        with lock:
            running -= 1
        return item

    assert sorted(result for _, result in as_they_come(range(6), work, at_once=2)) == list(range(6))
    assert most == 2


def test_what_was_begun_is_handed_on_before_the_error():
    failed = threading.Event()
    begun = threading.Event()
    asked = []

    def work(item):
        asked.append(item)
        if item == "bad":
            assert begun.wait(30)
            failed.set()
            raise ValueError("bad")
        begun.set()
        assert failed.wait(30)
        return item

    found = []
    with pytest.raises(ValueError, match="bad"):
        for item, _ in as_they_come(["good", "bad"], work, at_once=2):
            found.append(item)
    assert found == ["good"] and sorted(asked) == ["bad", "good"]


def test_nothing_new_is_begun_after_an_error():
    asked = []

    def work(item):
        asked.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="a"):
        list(as_they_come(["a", "b", "c"], work, at_once=1))
    assert asked == ["a"]


def test_nothing_to_do():
    assert list(as_they_come([], lambda item: item, at_once=4)) == []
