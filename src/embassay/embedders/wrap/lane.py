"""One queue in front of a model, and the threads that take batches from it."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future, InvalidStateError, wait
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from embassay.embedders.alongside import rebased
from embassay.embedders.texts.blocks import join
from embassay.embedders.wrap.payers import PAYERS, together
from embassay.errors import DeadlinePassed, EmbassayError, RequestRefused, TextTooLong, UsageError
from embassay.events import BatchRan
from embassay.types import Embeddings, OnLong, Role

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.events import Events

CHARS_A_TOKEN = 4
"""For the sizes of batches an estimate is enough: the model counts for itself."""
FIRST_RATE = 2_000.0
"""Tokens a second, until the first batches have shown how many."""
LEAST_SHARE = 128
"""Tokens of a batch that a worker takes at least, where it leaves others to the next worker."""
END_SECONDS = 5.0
"""For a hosted model to answer when everybody is gone."""
AT_FAULT = (TextTooLong, RequestRefused, UsageError)
"""Errors that one text may have caused, for which those of other callers are not to fail."""


class Ticket:
    """The texts of one caller on their way, which a thread or asyncio waits for."""

    def __init__(self, texts: Sequence[str], on_long: OnLong, deadline: float | None, request: str = "") -> None:
        self.texts, self.on_long, self.deadline, self.request = texts, on_long, deadline, request
        self.came = time.monotonic()
        self.payers = PAYERS.get()
        self._parts: list[Embeddings | None] = []
        self._missing = 0
        self._done: Future[Embeddings] | asyncio.Future[Embeddings] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.outcome: Embeddings | BaseException | None = None
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether nothing more has to be computed for it: it has failed, or nobody waits for it."""
        return self.outcome is not None or (self._done is not None and self._done.cancelled())

    def expect(self, parts: int) -> None:
        """It is computed in so many parts."""
        self._parts, self._missing = [None] * parts, parts

    def take(self, part: int, made: Embeddings) -> bool:
        """The vectors of one part came; whether they were the last."""
        with self._lock:
            self._parts[part] = made
            self._missing -= 1
            if self._missing or self.outcome is not None:
                return False
            parts = [one for one in self._parts if one is not None]
            self.outcome = parts[0] if len(parts) == 1 else _joined(parts)
            return True

    def fail(self, error: BaseException) -> bool:
        """It cannot be answered; whether that is news."""
        with self._lock:
            if self.outcome is not None:
                return False
            self.outcome = error
            return True

    def wait(self) -> Embeddings:
        """Block until it is done. Raises what it failed with, and DeadlinePassed: a thread is not held for longer."""
        with self._lock:
            waiter: Future[Embeddings] = Future()
            self._done = waiter
            over = self.outcome is not None
        if over:
            self._tell()
        seconds = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        if wait((waiter,), seconds).not_done and waiter.cancel():
            raise DeadlinePassed("the deadline of the request passed before its texts were embedded.")
        return waiter.result()

    def __await__(self) -> Generator[object, None, Embeddings]:
        loop = asyncio.get_running_loop()
        with self._lock:
            waiter: asyncio.Future[Embeddings] = loop.create_future()
            self._loop, self._done = loop, waiter
            over = self.outcome is not None
        if over:
            self._tell()
        return waiter.__await__()

    @staticmethod
    def tell(calls: Sequence[Ticket]) -> None:
        """Wake up whoever waits for calls that are over: one message for all of a loop."""
        loops: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        for call in calls:
            with call._lock:
                waited_for = call._done is not None
            if not waited_for:
                continue  # whoever waits looks at the outcome first
            if call._loop is not None:
                loops.setdefault(call._loop, []).append(call)
            else:
                call._tell()
        for loop, theirs in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell_all, theirs)

    def _tell(self) -> None:
        if self._done is None or self._done.done():
            return
        try:
            if isinstance(self.outcome, BaseException):
                self._done.set_exception(self.outcome)
            elif self.outcome is not None:
                self._done.set_result(self.outcome)
        except (InvalidStateError, asyncio.InvalidStateError):
            pass  # it was given up just now


def _tell_all(calls: Sequence[Ticket]) -> None:
    for call in calls:
        call._tell()


@dataclass(frozen=True, slots=True)
class Share:
    """Consecutive texts of a call that are computed together."""

    call: Ticket
    number: int
    start: int
    texts: Sequence[str]
    tokens: int


class Lane:
    """Takes calls, and has them computed in the order of their turns."""

    def __init__(self, model: Embedder, role: Role, budget: int, most: int, workers: int, events: Events) -> None:
        self._model, self._role = model, role
        self._limit = model.tokens.max_tokens
        self._budget, self._most, self._workers = budget, most, workers
        self._events = events
        self._turns: list[tuple[float, int, Share]] = []
        self._number = count()
        self._ready = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._rate = FIRST_RATE
        self._closing = False
        self.waiting = 0
        """Tokens that wait."""
        self.running = 0
        """Batches that are being computed."""

    @property
    def queued(self) -> int:
        """Calls that wait, each part of a large one by itself."""
        return len(self._turns)

    def add(self, call: Ticket) -> float | None:
        """Have a call computed. Where too much waits already, in how many seconds there may be room; else None.

        A call that comes first is taken whatever its size, so that none is refused for ever.
        """
        parts = self._parts(call)
        tokens = sum(part.tokens for part in parts)
        with self._ready:
            if self.waiting and self.waiting + tokens > self._most:
                return (self.waiting + tokens - self._most) / self._rate
            call.expect(len(parts))
            turn = call.came
            for part in parts:
                heapq.heappush(self._turns, (turn, next(self._number), part))
                turn += part.tokens / self._rate
            self.waiting += tokens
            if self._idle == 0 and len(self._threads) < self._workers:
                self._begin()
            else:
                self._ready.notify()
        return None

    def close(self) -> None:
        """Compute what waits, and end the threads; one that waits for a service which hangs is left behind."""
        with self._ready:
            self._closing = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(END_SECONDS / len(self._threads) if self._model.remote else None)

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._role} {len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _parts(self, call: Ticket) -> list[Share]:
        """The texts in pieces of at most a batch each; one piece for no texts at all."""
        texts = call.texts
        sizes = [min(self._limit, 2 + len(text) // CHARS_A_TOKEN) for text in texts]
        if sum(sizes) <= self._budget:
            return [Share(call, 0, 0, texts, sum(sizes))]
        parts: list[Share] = []
        start = tokens = 0
        for at, size in enumerate(sizes):
            if at > start and tokens + size > self._budget:
                parts.append(Share(call, len(parts), start, texts[start:at], tokens))
                start, tokens = at, 0
            tokens += size
        parts.append(Share(call, len(parts), start, texts[start:], tokens))
        return parts

    def _work(self) -> None:
        while parts := self._take():
            try:
                self._run(parts)
            except BaseException as error:  # whoever waits has to hear of it, whatever it is
                Ticket.tell([part.call for part in parts if part.call.fail(error)])
            finally:
                with self._ready:
                    self.running -= 1
            del parts

    def _take(self) -> list[Share]:
        """The next batch, waited for; empty when the lane is closed."""
        while True:
            late: list[Ticket] = []
            with self._ready:
                while not self._turns and not self._closing:
                    self._idle += 1
                    self._ready.wait()
                    self._idle -= 1
                parts = self._gather(late)
                if parts:
                    self.running += 1
            for call in late:
                if call.fail(DeadlinePassed("the deadline of the request passed before it was its turn.")):
                    Ticket.tell([call])
            if parts or (not self._turns and self._closing):
                return parts

    def _gather(self, late: list[Ticket]) -> list[Share]:
        parts: list[Share] = []
        tokens, now = 0, time.monotonic()
        budget = min(self._budget, max(LEAST_SHARE, self.waiting // self._workers))
        while self._turns:
            part = self._turns[0][2]
            call = part.call
            if call.is_over or (call.deadline is not None and call.deadline < now):
                if not call.is_over:
                    late.append(call)
            elif parts and (tokens + part.tokens > budget or call.on_long != parts[0].call.on_long):
                break
            else:
                parts.append(part)
                tokens += part.tokens
            heapq.heappop(self._turns)
            self.waiting -= part.tokens
        return parts

    def _run(self, parts: Sequence[Share]) -> None:
        started = time.monotonic()
        try:
            made = self._embed(parts)
        except EmbassayError as error:
            if isinstance(error, AT_FAULT) and len(parts) > 1:
                for part in parts:
                    self._run([part])
                return
            self._tell(parts, started, failed=True)
            Ticket.tell([part.call for part in parts if part.call.fail(error)])
            return
        self._tell(parts, started)  # before anybody has an answer, so that it belongs to requests that are under way
        self._deliver(parts, made)

    def _tell(self, parts: Sequence[Share], started: float, *, failed: bool = False) -> None:
        took = time.monotonic() - started
        tokens = sum(part.tokens for part in parts)
        if not failed:
            self._rate += 0.2 * (tokens / max(took, 1e-4) - self._rate)
        if self._events.wants(BatchRan):
            waited = started - min(part.call.came for part in parts)
            texts = sum(len(part.texts) for part in parts)
            lane = self._model.name, self._role
            asked = tuple(dict.fromkeys(part.call.request for part in parts if part.call.request))
            self._events.tell(BatchRan(*lane, len(parts), texts, tokens, waited, took, failed, asked))

    def _embed(self, parts: Sequence[Share]) -> Embeddings:
        on_long = parts[0].call.on_long
        PAYERS.set(together((part.call.payers, part.tokens) for part in parts))
        if len(parts) == 1:
            start = parts[0].start
            with rebased(lambda at: start + at):
                return self._model.embed(parts[0].texts, self._role, on_long)
        return self._model.embed([text for part in parts for text in part.texts], self._role, on_long)

    @staticmethod
    def _deliver(parts: Sequence[Share], made: Embeddings) -> None:
        shared = zip(parts, _shares(parts, made), strict=True)
        Ticket.tell([part.call for part, share in shared if part.call.take(part.number, share)])


def _shares(parts: Sequence[Share], made: Embeddings) -> list[Embeddings]:
    """What of `made` belongs to each part. What it took is divided by tokens; requests are told to the first."""
    if len(parts) == 1:
        return [made]
    shares: list[Embeddings] = []
    at, whole = 0, max(1, sum(made.tokens))
    left = made.usage
    for number, part in enumerate(parts):
        end = at + len(part.texts)
        tokens = made.tokens[at:end]
        part_of = sum(tokens) / whole
        usage = replace(
            made.usage,
            requests=made.usage.requests if number == 0 else 0,
            cached=min(left.cached, end - at),
            tokens=None if made.usage.tokens is None else round(made.usage.tokens * part_of),
            usd=None if made.usage.usd is None else made.usage.usd * part_of,
        )
        left = replace(left, cached=left.cached - usage.cached)
        split = [position - at for position in made.split if at <= position < end] if made.split else ()
        shares.append(
            replace(
                made,
                vectors=made.vectors[at:end],
                tokens=tokens,
                truncated=made.truncated[at:end],
                usage=usage,
                split=split,
            )
        )
        at = end
    return shares


def _joined(parts: Sequence[Embeddings]) -> Embeddings:
    first = parts[0]
    return replace(join(list(parts), first.space, first.role, first.precision), model=first.model)
