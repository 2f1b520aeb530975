"""USD that models share: promised to texts, reserved for requests that are under way, and spent.

Whoever sends a request that is billed opens a `Charge` before, and settles it when the answer is there:

    with budget.charge(Order(model, "document", most, len(texts))) as charge:
        answer = send(texts)
        charge.settle(Paid(usd))

That is the one way to spend money, for embeddings, chat models and whatever else is billed. A charge that is left open
counts at its highest price, because nobody can tell what became of the request. A `Book` keeps the figures: in memory,
or in a ledger that all processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol

from embassay import remedy
from embassay.errors import SpendCapReached, UsageError

Period = Literal["run", "day", "month"]
"""For how long a cap holds: one run of a program, or a day or a month (UTC) of all runs together."""
WAIT_SECONDS, LOOK_SECONDS = 10.0, 0.05
"""How long room below the cap is waited for while requests are under way that may turn out cheaper, and how often it
is looked for."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request to a service that bills it."""

    model: str
    role: str
    """What it is for: ``query`` or ``document`` of an embedding model, ``chat`` of a chat model."""
    usd: float
    """The most that it may cost."""
    texts: int = 1
    marks: Sequence[bytes] = ()
    """Digests of the texts, by which one that is paid for again is known; at most one for each text."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What a request cost."""

    usd: float
    """As it counts against a cap."""
    tokens: int = 0
    """For so many tokens, in and out."""
    reported: float | None = None
    """As the service says it; None where it does not say."""
    lost: bool = False
    """Whether no answer came, so that the most that is possible counts."""


class Book(Protocol):
    """Keeps what is spent, and what is reserved for requests that are under way. Threads may share it."""

    @property
    def since(self) -> str:
        """Words for the time that is counted, such as ``since 2026-11-01``; empty for one run."""

    @property
    def renewed(self) -> float | None:
        """When that time is over, and nothing is spent of the next one: seconds since 1970; None for one run."""

    def spent(self) -> float:
        """USD that were spent in the time that is counted."""

    def used(self) -> float:
        """The same with what is reserved."""

    def is_busy(self) -> bool:
        """Whether requests are under way, which may cost less than is reserved for them."""

    def open(self, order: Order, cap: float | None) -> int | None:
        """Reserve the most that `order` may cost; the key of the reservation. None where `cap` leaves no room."""

    def close(self, key: int, order: Order, paid: Paid) -> None:
        """Count what was `paid` in place of what was reserved."""


class MemoryBook:
    """The book of one process alone."""

    since = ""
    renewed = None

    def __init__(self) -> None:
        self._spent, self._keys = 0.0, 0
        self._open: dict[int, float] = {}
        self._lock = threading.Lock()

    def spent(self) -> float:
        """USD that were spent in this process."""
        return self._spent

    def used(self) -> float:
        """The same with what is reserved."""
        with self._lock:
            return self._spent + sum(self._open.values())

    def is_busy(self) -> bool:
        """Whether requests are under way."""
        return bool(self._open)

    def open(self, order: Order, cap: float | None) -> int | None:
        """See `Book.open`."""
        with self._lock:
            if cap is not None and self._spent + sum(self._open.values()) + order.usd > cap:
                return None
            self._keys += 1
            self._open[self._keys] = order.usd
            return self._keys

    def close(self, key: int, order: Order, paid: Paid) -> None:  # noqa: ARG002 - a ledger notes what it was for
        """See `Book.close`."""
        with self._lock:
            del self._open[key]
            self._spent += paid.usd


class Charge:
    """One request while it is under way. As a context manager it is lost at the end unless it was settled."""

    __slots__ = ("_budget", "_is_open", "key", "order")

    def __init__(self, budget: Budget | None, key: int, order: Order) -> None:
        """`budget` None: for a request that nobody bills."""
        self._budget, self.key, self.order = budget, key, order
        self._is_open = True

    def settle(self, paid: Paid) -> None:
        """Count what the request cost. A charge is settled once; more does nothing."""
        if self._is_open and self._budget is not None:
            self._is_open = False
            self._budget.close(self.key, self.order, paid)

    def lose(self) -> None:
        """Count the most that the request may have cost: whether it was served, nobody can tell."""
        self.settle(Paid(self.order.usd, lost=True))

    def __enter__(self) -> Charge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lose()


class Budget:
    """What may be spent. Threads may share it, and processes where its book is a ledger."""

    def __init__(self, usd: float | None = None, book: Book | None = None, per: Period = "run") -> None:
        """`usd`: most that may be spent; None: as much as it takes, which is noted all the same.

        Raises UsageError for what is no sum of money.
        """
        if usd is not None and not is_money(usd):
            raise UsageError(
                f"a spend cap of {usd!r} USD is no sum of money.", remedy=remedy.setting("spend_cap_usd", "5")
            )
        self.usd = None if usd is None else float(usd)
        self.per = per
        self.book: Book = MemoryBook() if book is None else book
        self.own = 0.0
        """USD that were spent through this very object."""
        self._promised = 0.0
        self._lock = threading.Lock()

    @property
    def is_capped(self) -> bool:
        """Whether there is a limit."""
        return self.usd is not None

    @property
    def spent(self) -> float:
        """USD that were spent in the time that the cap is for."""
        return self.book.spent()

    @property
    def remaining(self) -> float:
        """USD that are neither spent, reserved nor promised; infinite without a cap."""
        if self.usd is None:
            return float("inf")
        return max(0.0, self.usd - self.book.used() - self._promised)

    def promise(self, usd: float) -> bool:
        """Keep `usd` for texts that will be sent; whether there was so much. Only this process knows of a promise."""
        if not is_money(usd):
            return False
        if self.usd is None:
            return True
        with self._lock:
            if self.book.used() + self._promised + usd > self.usd:
                return False
            self._promised += usd
            return True

    def release(self, usd: float) -> None:
        """End a promise: the requests are answered, or will not be sent."""
        with self._lock:
            self._promised = max(0.0, self._promised - usd) if self.usd is not None else 0.0

    def charge(self, order: Order) -> Charge:
        """Reserve the most that a request may cost. Raises SpendCapReached, before anything is sent.

        Where requests are under way that may turn out cheaper, they are waited for.
        """
        until = time.monotonic() + WAIT_SECONDS
        while is_money(order.usd):
            key = self.book.open(order, self.usd)
            if key is not None:
                return Charge(self, key, order)
            if not self.book.is_busy() or time.monotonic() > until:
                break
            time.sleep(LOOK_SECONDS)
        raise self.reached(order.model)

    def close(self, key: int, order: Order, paid: Paid) -> None:
        """End the charge `key`, see `Charge.settle`."""
        with self._lock:
            self.own += paid.usd
        self.book.close(key, order, paid)

    def note(self, order: Order, paid: Paid) -> None:
        """Count what was paid without having been reserved, by a model that does not tell of its requests."""
        key = self.book.open(order, None)
        assert key is not None, "without a cap there is room"
        Charge(self, key, order).settle(paid)

    def wait(self) -> bool:
        """Wait until requests that are under way have been settled; whether there were any."""
        until, waited = time.monotonic() + WAIT_SECONDS, False
        used = self.book.used()
        while self.book.is_busy() and time.monotonic() < until:
            waited = True
            time.sleep(LOOK_SECONDS)
            if self.book.used() < used:
                return True
        return waited

    def reached(self, name: str) -> SpendCapReached:
        """The error of a model that would go beyond the cap."""
        spent, since = self.book.spent(), f" {self.book.since}" if self.book.since else ""
        per = "" if self.per == "run" else f" a {self.per}"
        under_way = self.book.used() - spent
        also = f", ${under_way:.4f} more reserved for requests under way" if under_way >= 0.00005 else ""
        return SpendCapReached(
            f"{name}: the spend cap of ${self.usd:g}{per} is reached (${spent:.4f} spent{since}{also}).",
            remedy=remedy.setting("spend_cap_usd", say="Raise {} and run it again: it goes on where it stopped."),
            retry_at=self.book.renewed,
        )


def is_money(usd: object) -> bool:
    """Whether `usd` is a finite number that is not negative."""
    return isinstance(usd, (int, float)) and not isinstance(usd, bool) and 0 <= usd < float("inf")
