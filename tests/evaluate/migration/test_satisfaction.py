"""Which searches count as satisfied, and which of the log are of one generation in a time."""

from __future__ import annotations

import pytest

from embassay.evaluate.migration.satisfaction import LogWindow, satisfaction
from embassay.sets.log.entry import Feedback, LoggedHit, LoggedQuery
from embassay.sets.log.outcome import outcome

HITS = [LoggedHit(at, "docs", f"d{at}", f"k{at}", (1, 2), 1.0 / at, {}) for at in (1, 2, 3)]


def entry(asked, *feedback, sets=("docs",), space="new"):
    given = tuple(Feedback(kind, place, asked) for kind, place in feedback)
    return LoggedQuery(f"{asked}", float(asked), sets, space, "top(3)", "kept", "what", 1.0, HITS, given)


@pytest.mark.parametrize(
    ("feedback", "satisfied"),
    [
        ((), False),
        ((("clicked", "d2#L1-2"),), True),
        ((("up", ""),), True),
        ((("up", "d3#L1-2"),), True),
        ((("up", "missing.md"),), False),
        ((("down", ""), ("clicked", "d1#L1-2")), False),
        ((("down", "d1#L1-2"), ("clicked", "d2#L1-2")), True),
        ((("down", "d1#L1-2"),), False),
    ],
)
def test_a_satisfied_search(feedback, satisfied):
    search = entry(5, *feedback)
    assert outcome(search.hits, search.feedback).satisfied is satisfied


def test_only_searches_of_the_set_alone_in_that_space_and_time_count():
    log = [
        entry(9, ("clicked", "d1#L1-2")),
        entry(8, ("clicked", "d1#L1-2"), space="old"),
        entry(7, ("clicked", "d1#L1-2"), sets=("docs", "more")),
        entry(6, ("clicked", "d1#L1-2"), sets=("more",)),
        entry(5, ("clicked", "d3#L1-2"), ("clicked", "d2#L1-2")),
        entry(4, ("down", "")),
        entry(3),
        entry(2, ("up", "")),
    ]
    found, old = satisfaction(log, "docs", [LogWindow("new", 3, 9), LogWindow("old", 8, 9)])
    assert (old.searches, old.satisfied, old.first_click) == (1, 1, 1.0)
    assert (found.searches, found.with_feedback, found.satisfied, found.first_click) == (3, 2, 1, 2.0)
    assert found.rate == pytest.approx(1 / 3)
    assert satisfaction([], "docs", [LogWindow("new", 0, 9)])[0].rate == 0


def test_the_log_is_read_no_further_back_than_the_earliest_window():
    def log():
        yield entry(5)
        yield entry(1)
        raise AssertionError("it was read to its end")

    assert satisfaction(log(), "docs", [LogWindow("new", 3, 9), LogWindow("old", 2, 3)])[0].searches == 1
