"""How fast a model computes here and now, and how many texts it may therefore be ahead of what was handed out."""

from __future__ import annotations

import time
from collections.abc import Callable

from embassay.engine.batches import TOKEN_BUDGET

FEWEST, MOST = 5 * TOKEN_BUDGET, 128 * TOKEN_BUDGET
"""Tokens among which batches are chosen, whatever they cost: with fewer of them a tenth of all work is padding, and
more of them are no better."""
REMEMBERED_SECONDS = 2.0
"""Of work, by which the rate is known: the machine may be busy with something else a moment later."""


class Pace:
    """Tokens a second while there is work, measured as it is done."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: how much work may be waiting; None where nobody waits for a part of it."""
        self._wanted, self._clock = seconds, clock
        self._tokens = self._seconds = self._since = 0.0

    @property
    def room(self) -> int:
        """Tokens that may wait to be computed."""
        if self._wanted is None:
            return MOST
        rate = self._tokens / self._seconds if self._seconds else 0.0
        return min(MOST, max(FEWEST, int(rate * self._wanted)))

    def begin(self) -> None:
        """There was nothing to compute, and now there is."""
        self._since = self._clock()

    def computed(self, tokens: int) -> None:
        """So many tokens are done since the last time this was told."""
        now = self._clock()
        self._seconds += now - self._since
        self._tokens += tokens
        self._since = now
        if self._seconds > REMEMBERED_SECONDS:
            self._tokens, self._seconds = self._tokens / 2, self._seconds / 2
