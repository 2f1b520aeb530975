"""One request, sent until it is answered or given up, at the pace that its service bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from embassay.embedders.http.connection import backoff
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.limits import Gate
from embassay.errors import ProviderError, RateLimited

if TYPE_CHECKING:
    from embassay.embedders.settings import HttpSettings
    from embassay.embedders.texts.bill import BillCheck

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a request is sent that fails in a way that may lie in its texts as well as in the service."""

    most: int = 1 << 30
    """No more than the settings say in any case."""
    hands_back: bool = True
    """Whether the fault is handed back then, for the caller to find out which of them it is; else it is raised."""
    used: int = 0
    """Those that the same request has had before."""


ALL_TRIES = Tries(hands_back=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long and how often one request is sent."""

    tokens: int
    """That it holds, as they are estimated: the rate of a service may be limited by them."""
    until: float
    """The moment (monotonic) at which it is given up."""
    stopped: threading.Event
    """Set when the caller wants no more."""
    tries: Tries = ALL_TRIES


class Attempts:
    """The requests to one service for one model. Threads may share it."""

    def __init__(self, name: str, settings: HttpSettings, bill: BillCheck) -> None:
        self._name, self._settings, self._bill = name, settings, bill
        self.gate = Gate(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)

    def answered(self, once: Callable[[], T | FailedAttempt], patience: Patience) -> T | FailedAttempt:
        """What `once` gives, which sends the request; or a fault, where a smaller or another request might pass.

        Raises the error of a fault that is no use to repeat, or that lasts as long as the patience; BillingMismatch
        where earlier answers said what cannot be.
        """
        until, stopped, tries = patience.until, patience.stopped, patience.tries
        failures, attempt = tries.used, 0
        while True:
            self._bill.check()
            made = self._admitted(once, patience)
            if not isinstance(made, FailedAttempt):
                return made
            attempt += 1
            failures += not isinstance(made.error, RateLimited)
            if made.action == "split" or (made.doubtful and tries.hands_back and self._is_over(made, failures, tries)):
                return made
            if made.action == "stop" or stopped.is_set():
                raise made.error
            pause = backoff(attempt + tries.used, made.wait)
            if time.monotonic() + pause > until or failures > self._settings.retries:
                raise _given_up(made, attempt + tries.used, self._settings.deadline)
            stopped.wait(pause)

    def _admitted(self, once: Callable[[], T | FailedAttempt], patience: Patience) -> T | FailedAttempt:
        """What `once` gives, as soon as the service bears another request. Raises RateLimited."""
        if not self.gate.enter(patience.tokens, patience.until, patience.stopped.is_set):
            raise RateLimited(
                f"{self._name}: no request was free within {self._settings.deadline:g} s.",
                remedy="Raise deadline, requests_per_minute or tokens_per_minute.",
            )
        fault: FailedAttempt | None = None
        try:
            made = once()
            fault = made if isinstance(made, FailedAttempt) else None
            return made
        finally:
            self.gate.leave(busy=bool(fault and fault.busy), hold=fault.wait if fault and fault.busy else None)

    def _is_over(self, fault: FailedAttempt, failures: int, tries: Tries) -> bool:
        return fault.action == "stop" or failures >= min(tries.most, self._settings.retries + 1)


def _given_up(fault: FailedAttempt, attempts: int, deadline: float) -> ProviderError:
    tries = f"{attempts} attempt{'s' if attempts > 1 else ''}"
    asked = f"; it asks to wait {fault.wait:.0f} s" if fault.wait is not None else ""
    return type(fault.error)(
        f"{fault.error.message} Given up after {tries}{asked}; the deadline is {deadline:g} s.",
        remedy=fault.error.remedy,
        retry_at=fault.error.retry_at,
    )
