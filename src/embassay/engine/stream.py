"""Texts through a runtime: batches are chosen among those that wait, and rows are handed out in the order of the texts.

Texts of about one length are computed together, so that they are not computed in the order in which they came. What is
computed and cannot be handed out yet, because an earlier text is not done, is lost when a run is killed. So only about
`LOOKAHEAD_SECONDS` of work are there to choose from, by the rate at which this machine works at the moment.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.ahead import Ahead
from embassay.engine.batches import TOKEN_BUDGET, Batches
from embassay.engine.pace import Pace
from embassay.engine.runtimes.base import Queue
from embassay.engine.runtimes.padding import check_width

if TYPE_CHECKING:
    from embassay.engine.tokens import Encoded
    from embassay.types import Vectors

LOOKAHEAD_SECONDS = 1.0
PATIENCE_SECONDS = 0.25
"""How long a core may be idle while texts are waited for that would fill a batch."""
STALE_SECONDS = 1.0
"""How long texts wait at most for others to be computed with."""
HAND_OUT_SECONDS = 0.1
"""Rows are handed out no more often, because whoever takes them has some work with each block."""


@dataclass(slots=True)
class Text:
    """A text on its way."""

    pieces: Sequence[Encoded]
    """One, or several where a long text is split."""
    tokens: int
    truncated: bool
    rows: list[Vectors | None] = field(init=False)
    """The vector of each piece that is there."""
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.missing = len(self.pieces)
        self.rows = [None] * self.missing


class Stream:
    """The texts of one call. It belongs to one thread, and writes what its queue computes: see `runtimes/base.py`."""

    def __init__(self, queue: Queue, dimensions: int, pace: Pace, budget: int = TOKEN_BUDGET) -> None:
        """`budget`: padded tokens a batch."""
        self._queue, self._dimensions, self._pace = queue, dimensions, pace
        self._batches = Batches(budget)
        self._texts: deque[Text] = deque()
        """Those that were not handed out, in order."""
        self._places: dict[int, tuple[Text, int]] = {}
        """Of each piece that is not computed, by its number: its text, and which of its pieces it is."""
        self._count = self._in_flight = 0
        self._submitted = self._handed_out = time.monotonic()

    def run(self, encoded: Ahead[Sequence[Text]]) -> Iterator[list[Text]]:
        """Texts with all their rows, in order, in lists. Raises what `encoded` raises, behind what was done before."""
        ended = False
        while not ended or self._batches or self._in_flight:
            if not ended and self._takes_more(encoded):
                try:
                    group = encoded.take()
                except Exception:
                    self._wait_for_all()
                    yield from self._done(at_once=True)
                    raise
                ended = group is None
                self._add(group or ())
            elif self._batches and self._is_due(ended=ended):
                self._submit()
            else:
                self._queue.wait()
            yield from self._done()
        yield from self._done(at_once=True)

    def write(self, rows: Sequence[int], values: Vectors) -> None:
        """Vectors of some pieces, each of which arrives once. Raises ModelUnsupported for those of another width."""
        check_width(values, self._dimensions)
        tokens = 0
        for number, row in zip(rows, np.array(values, np.float32), strict=True):
            text, part = self._places.pop(number)
            text.rows[part] = row
            text.missing -= 1
            tokens += len(text.pieces[part].ids)
        self._in_flight -= len(rows)
        self._pace.computed(tokens)

    def _takes_more(self, encoded: Ahead[Sequence[Text]]) -> bool:
        """Whether there is room for more texts and they are there, or nothing else can be done than wait for them."""
        if self._batches.tokens >= self._pace.room or (self._batches and self._is_stale):
            return False
        if encoded.ready or not (self._batches or self._in_flight):
            return True
        return not self._in_flight and encoded.wait(PATIENCE_SECONDS)

    def _is_due(self, *, ended: bool) -> bool:
        """Whether a batch is to be computed: there is enough to choose from, or nothing better to be done."""
        full = self._batches.tokens >= self._pace.room
        return full or ended or not self._in_flight or self._is_stale

    @property
    def _is_stale(self) -> bool:
        return time.monotonic() - self._submitted > STALE_SECONDS

    def _add(self, texts: Sequence[Text]) -> None:
        if not self._batches:
            self._submitted = time.monotonic()
        self._texts += texts
        for text in texts:
            for part, piece in enumerate(text.pieces):
                self._places[self._count] = text, part
                self._batches.add(self._count, len(piece.ids))
                self._count += 1

    def _submit(self) -> None:
        if not self._in_flight:
            self._pace.begin()
        width, numbers = self._batches.take()
        places = [self._places[number] for number in numbers]
        self._in_flight += len(numbers)
        self._queue.submit([text.pieces[part].ids for text, part in places], width, numbers, self)
        self._submitted = time.monotonic()

    def _wait_for_all(self) -> None:
        while self._in_flight:
            self._queue.wait()

    def _done(self, *, at_once: bool = False) -> Iterator[list[Text]]:
        """The texts that can be handed out, if it is time for that."""
        now = time.monotonic()
        if not at_once and now - self._handed_out < HAND_OUT_SECONDS:
            return
        done: list[Text] = []
        while self._texts and not self._texts[0].missing:
            done.append(self._texts.popleft())
        if done:
            self._handed_out = now
            yield done
