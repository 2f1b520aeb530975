"""Texts of many callers go through a model together: what waits is joined into batches by tokens.

Queries have a lane of their own, so that none of them waits behind documents. In a lane, each call has its turn by
when it came and by how much of it was computed before: a large call does not hold up small ones, and small ones do not
starve a large one. What waits is bounded; beyond the bound a call is refused at once. A call whose deadline has passed,
or that nobody waits for any more, is dropped before it is computed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.embedders.wrap.lane import Lane, Ticket
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import Overloaded
from embassay.events import REQUEST
from embassay.types import ROLES, Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.events import Events

DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)
"""Until when, by `time.monotonic`, whoever calls wants an answer; None for as long as it takes."""
REMOTE_WORKERS = 8
"""Requests to a hosted model at once, where its limits do not say."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How much is computed together, and how much may wait, of each model."""

    tokens: int = 2048
    """Of a batch, as they are estimated."""
    waiting: int = 1 << 18
    """Tokens that may wait in a lane."""
    workers: int = 1
    """Batches of a lane that are computed at once by a model of this machine, which uses all cores for each."""


class Batched(Wrapper):
    """Joins calls of `embed` and `aembed`. Streams pass through: they are batches already."""

    is_transparent = True

    def __init__(self, inner: Embedder, batching: Batching, events: Events) -> None:
        super().__init__(inner)
        self._batching = batching
        self._events = events
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._used = time.monotonic()

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """Raises Overloaded, DeadlinePassed, and what the model inside raises."""
        return self._call(texts, role, on_long).wait()

    async def aembed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """The same without a thread that waits. Where the caller is cancelled, what was not begun is not computed."""
        return await self._call(texts, role, on_long)

    @property
    def waiting(self) -> dict[str, int]:
        """Tokens that wait, by role."""
        with self._lock:
            return {role: self._lanes[role].waiting if role in self._lanes else 0 for role in ROLES}

    @property
    def bound(self) -> int:
        """Tokens of a role that may wait: beyond them calls are refused."""
        return self._batching.waiting

    @property
    def queued(self) -> int:
        """Calls that wait, each part of a large one by itself."""
        with self._lock:
            return sum(lane.queued for lane in self._lanes.values())

    @property
    def idle_seconds(self) -> float:
        """How long nothing was asked of the model; 0 while something is."""
        with self._lock:
            busy = any(lane.waiting or lane.running for lane in self._lanes.values())
            return 0.0 if busy else time.monotonic() - self._used

    def close(self) -> None:
        """What waits is computed first. Used again, it begins anew."""
        with self._lock:
            lanes, self._lanes = [*self._lanes.values()], {}
        for lane in lanes:
            lane.close()
        super().close()

    def _call(self, texts: Sequence[str], role: Role, on_long: OnLong) -> Ticket:
        check_role(role)
        call = Ticket(texts, on_long, DEADLINE.get(), REQUEST.get())
        with self._lock:
            self._used = time.monotonic()
            lane = self._lanes.get(role)
            if lane is None:
                lane = self._lanes[role] = self._lane(role)
            wait = lane.add(call)
        if wait is not None:
            raise Overloaded(f"{self.name}: {lane.waiting:,} tokens wait to be embedded already.", wait)
        return call

    def _lane(self, role: Role) -> Lane:
        limits, batching = self.inner.limits, self._batching
        workers = batching.workers
        if self.inner.remote:
            workers = max(1, limits.at_once if limits else REMOTE_WORKERS)
        return Lane(self.inner, role, batching.tokens, batching.waiting, workers, self._events)
