"""Rerankers that score for many clients, without starving the embedding beside them.

A reranker of this machine scores for one request at a time, in slices, so that a request whose client is gone or whose
deadline has passed ends soon.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from embassay.embedders.wrap.batched import DEADLINE
from embassay.errors import DeadlinePassed, Interrupted
from embassay.reranking.base import Reranked
from embassay.server.turns import Turns

if TYPE_CHECKING:
    from embassay.session import Session

SLICE = 64
"""Texts that a reranker of this machine scores before it looks whether anybody still waits."""
MOST_WAITING = 20_000
"""Texts that may wait for a reranker."""
REMOTE_AT_ONCE = 8


class Scoring:
    """Has the rerankers of one server score, in turns. Belongs to one loop."""

    def __init__(self, session: Session, in_worker: Callable[..., Awaitable[Any]]) -> None:
        self._session, self._in_worker = session, in_worker
        self._turns = {False: Turns(1, MOST_WAITING), True: Turns(REMOTE_AT_ONCE, MOST_WAITING)}

    async def score(self, name: str, query: str, texts: Sequence[str]) -> Reranked:
        """Scores of `texts` by the reranker `name`. Raises Overloaded, DeadlinePassed, and as `Session.rerank` does."""
        reranker = await self._in_worker("", self._session.models.rerankers.get, name)
        whole = reranker.remote or reranker.listwise
        beside = f"reranker {name}" if reranker.remote else ""
        stop = threading.Event()
        async with self._turns[reranker.remote].taken(len(texts)):
            size = max(1, len(texts)) if whole else SLICE
            work = asyncio.ensure_future(self._in_worker(beside, self._in_slices, name, query, texts, size, stop))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                stop.set()  # its turn ends when the thread is free again
                await asyncio.wait([work])
                work.exception()
                raise

    def _in_slices(self, name: str, query: str, texts: Sequence[str], size: int, stop: threading.Event) -> Reranked:
        parts = []
        deadline = DEADLINE.get()
        for start in range(0, len(texts), size):
            if stop.is_set():
                raise Interrupted("nobody waits for the scores any more.")
            if deadline is not None and time.monotonic() > deadline:
                raise DeadlinePassed("the deadline of the request passed before all texts were scored.")
            parts.append(self._session.rerank(query, texts[start : start + size], model=name))
        return parts[0] if len(parts) == 1 else _joined(parts, size)


def _joined(parts: Sequence[Reranked], size: int) -> Reranked:
    import numpy as np

    usage = parts[0].usage
    for part in parts[1:]:
        usage = usage + part.usage
    return Reranked(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.truncated for part in parts]),
        parts[0].model,
        usage,
        refused={number * size + at: why for number, part in enumerate(parts) for at, why in part.refused.items()},
    )
