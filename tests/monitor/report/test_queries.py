"""Which queries are asked most and which fail, counted over columns as they would be one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np

from embassay.monitor.report.flagging import FlaggedSearches
from embassay.monitor.report.queries import find_queries
from embassay.monitor.searches import Searches


def searches(*rows):
    """Of (query, hits, first click, satisfied, feedback, dense)."""
    names = ("query", "hits", "first_click", "satisfied", "feedback", "dense")
    return Searches.of_rows([{"seq": at, **dict(zip(names, row, strict=True))} for at, row in enumerate(rows, 1)])


def asked(query, times, hits=10, click=0, satisfied=0, feedback=0, dense=0.5):
    return [(query, hits, click, satisfied, feedback, dense)] * times


def test_those_that_are_asked_most_come_first():
    numbers = np.random.default_rng(3).zipf(1.4, 5_000) % 900
    found = find_queries(searches(*((int(n), 10, 0, 0, 0, 0.5) for n in numbers)), {}, 10)
    counts = Counter(numbers.tolist())
    assert [one.asked for one in found.hot] == [times for _, times in counts.most_common(10)]
    assert found.different == len(counts) and len({one.seq for one in found.hot}) == 10
    assert all(counts[int(numbers[one.seq - 1])] == one.asked for one in found.hot)


def test_the_newest_search_of_a_query_is_named():
    found = find_queries(searches(*asked(1, 2), *asked(2, 1), *asked(1, 1)), {}, 1)
    assert [(one.seq, one.asked) for one in found.hot] == [(4, 3)]


def test_what_fails_and_why():
    log = searches(
        *asked(1, 6, hits=0, dense=np.nan),
        *asked(2, 4, feedback=1),
        *asked(3, 9, dense=0.1),
        *asked(4, 20, click=1, satisfied=1, feedback=1),
        *asked(5, 3, hits=0), *asked(5, 4),
        *asked(6, 30),
    )  # fmt: skip
    low = (log.dense < 0.2).astype(np.int8)
    found = find_queries(log, {"low": FlaggedSearches("Searches that score low", low)}, 10)
    assert [(one.asked, [*one.failures]) for one in found.failing] == [
        (30, ["no hit was ever opened"]),
        (9, ["searches that score low: 9 of 9"]),
        (6, ["found nothing: 6 of 6"]),
        (4, ["nobody was satisfied: 4 of 4"]),
    ]
    assert found.failed == 4 and found.failing[2].score is None


def test_where_nobody_opens_anything_nothing_is_said_of_it():
    assert find_queries(searches(*asked(1, 100)), {}, 5).failing == []


def test_nothing_at_all():
    found = find_queries(searches(), {}, 5)
    assert (found.different, found.hot, found.failing) == (0, (), ())
