"""Texts go through a queue in any order, and come out in their own, as soon as they can."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.engine import stream as streams
from embassay.engine.ahead import Ahead
from embassay.engine.pace import FEWEST, MOST, Pace
from embassay.engine.stream import Stream, Text
from embassay.engine.tokens import Encoded

DIMENSIONS = 2


class Late:
    """A queue that is some batches behind. The vector of a piece holds its first token and its length."""

    def __init__(self, behind=3):
        self._behind, self._busy = behind, deque()
        self.batches = 0

    def submit(self, batch, width, rows, into):
        assert width == max(map(len, batch))
        self.batches += 1
        if len(self._busy) > self._behind:
            self.wait()
        self._busy.append((into, rows, np.array([[ids[0], len(ids)] for ids in batch], np.float32)))

    def wait(self):
        if self._busy:
            into, rows, values = self._busy.popleft()
            into.write(rows, values)
            values[:] = -1  # a queue uses its memory again

    def close(self):
        while self._busy:
            self.wait()


def text(number, lengths):
    return Text([Encoded([number] * length, length) for length in lengths], sum(lengths), False)


def ran(groups, queue=None, pace=None):
    """The lists that come out, each text as its first token and the lengths that its rows tell."""
    work = Stream(queue or Late(), DIMENSIONS, pace or Pace(None))
    with Ahead(lambda group: group, iter(groups), "test") as ahead:
        for done in work.run(ahead):
            yield [(int(one.rows[0][0]), [int(row[1]) for row in one.rows]) for one in done]


@given(
    st.lists(st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=3), max_size=30), max_size=12),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_text_comes_out_in_order_with_its_own_rows(groups, behind, patient):
    texts = [pieces for group in groups for pieces in group]
    numbers = iter(range(len(texts)))
    given_ = [[text(next(numbers), pieces) for pieces in group] for group in groups]
    out = [one for done in ran(given_, Late(behind), Pace(None if patient else 0.001)) for one in done]
    assert out == list(enumerate(texts))


def test_texts_come_out_while_the_source_is_slow():
    """Nothing waits for a text that is not there yet: what was read is computed and handed out."""
    goes_on = threading.Event()

    def groups():
        yield [text(0, [5])]
        assert goes_on.wait(30), "the first text was not handed out before the second was read"
        yield [text(1, [5])]

    out = ran(groups())
    assert next(out) == [(0, [5])]
    goes_on.set()
    assert list(out) == [[(1, [5])]]


def test_texts_come_out_while_others_are_computed(monkeypatch):
    monkeypatch.setattr(streams, "HAND_OUT_SECONDS", 0.0)
    queue, handed_out, behind = Late(), 0, []
    for done in ran(([text(at, [40])] for at in range(4000)), queue, Pace(0.0)):
        handed_out += len(done)
        behind.append(queue.batches * 25 - handed_out)
    assert handed_out == 4000 and len(behind) > 20
    assert max(behind) <= 2 * FEWEST / 40


def test_what_was_computed_before_an_error_comes_out_first():
    def groups():
        yield [text(0, [100] * 40), text(1, [7])]
        raise ValueError("the source is broken")

    out = []
    with pytest.raises(ValueError, match="the source is broken"):
        for done in ran(groups(), pace=Pace(0.0)):
            out += done
    assert [number for number, _ in out] in ([0], [0, 1], [])


def test_the_pace_follows_the_clock():
    now = [0.0]
    pace = Pace(1.0, lambda: now[0])
    assert pace.room == FEWEST, "nothing is known yet"
    pace.begin()
    for _ in range(100):
        now[0] += 0.1
        pace.computed(2000)
    assert pace.room == pytest.approx(20_000, rel=0.05)
    now[0] += 1000  # nothing to do meanwhile
    pace.begin()
    for _ in range(100):
        now[0] += 0.1
        pace.computed(600)
    assert pace.room == pytest.approx(6_000, rel=0.05), "the machine is busy with something else now"
    for _ in range(1000):
        now[0] += 1e-6
        pace.computed(2000)
    assert pace.room == MOST
    assert Pace(None).room == MOST
