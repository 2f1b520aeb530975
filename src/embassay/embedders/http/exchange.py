"""Texts in, checked vectors out: one request with its retries, at the pace that the provider bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from embassay.embedders.http.api import Api, Description
from embassay.embedders.http.connection import Connection, backoff
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.limits import Gate
from embassay.embedders.http.wire import model_in
from embassay.embedders.texts.bill import Counted
from embassay.errors import BadReply, ProviderDown, ProviderError, RateLimited, SpaceMismatch
from embassay.space import OLD_MODEL_OR_NEW_SET
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.embedders.texts.bill import BillCheck
    from embassay.types import Role, Vectors


@dataclass(slots=True)
class Meter:
    """What the requests of a window took. Several threads add to it."""

    requests: int = 0
    tokens: int | None = 0
    counts: int = 0
    """Tokens that are paid for, whether the provider says how many or not."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, tokens: int | None, counts: int) -> None:
        """Add a request: the tokens billed for it, None where the provider did not say, and those that count."""
        with self.lock:
            self.requests += 1
            self.tokens = None if tokens is None or self.tokens is None else self.tokens + tokens
            self.counts += counts

    def take(self, other: Meter) -> None:
        """Count what `other` has counted so far, which begins anew."""
        with other.lock:
            requests, tokens, counts = other.requests, other.tokens, other.counts
            other.requests, other.tokens, other.counts = 0, 0, 0
        with self.lock:
            self.requests += requests
            self.tokens = None if tokens is None or self.tokens is None else self.tokens + tokens
            self.counts += counts


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """A reply whose vectors can be those of the model: float32 (n, dimensions)."""

    vectors: Vectors
    tokens: object
    """As the provider says them."""
    truncated: Sequence[bool] | None
    model: str = ""
    """What the service calls its model; empty where it does not say."""


class Exchange:
    """Requests to one provider for vectors of one model, with retries and checks. Threads may share it."""

    def __init__(self, api: Api, name: str, dimensions: int | None, bill: BillCheck, *, normalised: bool) -> None:
        self._api, self._settings, self._name = api, api.settings, name
        self._normalised = normalised
        self.bill = bill
        self._connection = Connection(api, name)
        settings = api.settings
        self.gate = Gate(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)
        self.dimensions = dimensions
        """Of every vector; learnt from the first where nobody knows."""
        self.answered = False
        """Whether the set-up is known to work."""
        self.failures = 0
        """How often the service could not be reached: what comes back may run another model."""
        self._doubtful = False
        """Whether it was not asked for its identity since."""
        self._lock = threading.Lock()

    @cached_property
    def description(self) -> Description:
        """What the server says of itself. Raises ProviderError."""
        try:
            return self._api.describe(self._connection.get)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadReply(f"{self._name}: what it says of itself cannot be read ({error}).") from None

    def check_key(self) -> None:
        """Raises KeyMissing or ConfigError where no key is there, or may not be sent; nothing is sent."""
        self._connection.check_key(self._api.request(["text"], "query").path)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def ask(
        self, texts: Sequence[str], role: Role, tokens: int, until: float, meter: Meter, stopped: threading.Event
    ) -> CheckedReply | FailedAttempt:
        """The checked reply; or a fault, where a smaller or another request might pass. Retries until the deadline."""
        request = self._api.request(texts, role)
        body = msgspec.json.encode({**request.body, **self._settings.extra_body})
        counted = Counted.of(texts, tokens)
        attempt = failures = 0
        while True:
            self.bill.check()
            if not self.gate.enter(tokens, until, stopped.is_set):
                raise RateLimited(
                    f"{self._name}: no request was free within {self._settings.deadline:g} s.",
                    remedy="Raise deadline, requests_per_minute or tokens_per_minute.",
                )
            fault: FailedAttempt | None = None
            try:
                if self._doubtful:
                    self._check_it_is_the_same()
                answer = self._connection.send("POST", request.path, body, until)
                if isinstance(answer, FailedAttempt):
                    fault = answer
                    meter.add(0, counted.most if fault.unanswered else 0)
                else:
                    reply = self._checked(answer[0], answer[1], len(texts))
                    settled = self.bill.settle(reply.tokens, counted)
                    meter.add(settled.tokens, settled.counts)
                    self.answered = True
                    return reply
            finally:
                self.gate.leave(busy=bool(fault and fault.busy), hold=fault.wait if fault and fault.busy else None)
            if fault.action == "split":
                return fault
            if fault.action == "stop" or stopped.is_set():
                raise fault.error
            attempt += 1
            pause = backoff(attempt, fault.wait)
            failures += not isinstance(fault.error, RateLimited)
            if isinstance(fault.error, ProviderDown):
                self._doubtful = True
                self.failures += 1
            if time.monotonic() + pause > until or failures > self._settings.retries:
                raise _given_up(fault, attempt, self._settings.deadline)
            stopped.wait(pause)

    def _check_it_is_the_same(self) -> None:
        """Raises SpaceMismatch where a server came back with other weights. Most do not say, and are believed."""
        known = self.__dict__.get("description")
        if known and (known.revision or known.model):
            now = self._api.describe(self._connection.get)
            if (now.revision, now.model) != (known.revision, known.model):
                is_now, was = now.revision[:12] or now.model, known.revision[:12] or known.model
                raise SpaceMismatch(
                    f"{self._name}: the server now runs {is_now}, it was {was}.",
                    remedy=OLD_MODEL_OR_NEW_SET,
                )
        self._doubtful = False

    def _checked(self, body: bytes, headers: Mapping[str, str], count: int) -> CheckedReply:
        """The reply as float32 rows that can be vectors of this model. Raises BadReply."""
        import numpy as np

        try:
            reply = self._api.parse(body, headers, count)
            vectors = np.asarray(reply.vectors, np.float32)
        except BadReply as error:
            raise BadReply(f"{self._name}: {error.message}") from None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            start = self._connection.hushed(body[:2000].decode("utf-8", "replace"))[:80]
            raise BadReply(
                f"{self._name}: the reply is not what its documentation says ({error}): {start!r}."
            ) from None
        if vectors.ndim != 2 or len(vectors) != count:
            raise BadReply(f"{self._name}: the reply has {len(vectors)} vectors for {count} texts.")
        if not np.isfinite(vectors).all():
            raise BadReply(f"{self._name}: the reply holds NaN or infinity.")
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=1)
        if not lengths.all():
            raise BadReply(f"{self._name}: the reply holds a zero vector.")
        if not np.isfinite(lengths).all():
            raise BadReply(f"{self._name}: the reply holds a vector whose length is beyond float32.")
        with self._lock:
            if self.dimensions is None:
                self.dimensions = vectors.shape[1]
        if self._normalised:
            vectors = unit_rows(vectors)
        if vectors.shape[1] != self.dimensions:
            raise BadReply(
                f"{self._name}: the vectors have {vectors.shape[1]} dimensions, expected {self.dimensions}.",
                remedy="The service runs another model, or ignores dimensions.",
            )
        return CheckedReply(vectors, reply.tokens, reply.truncated, model_in(body))


def _given_up(fault: FailedAttempt, attempts: int, deadline: float) -> ProviderError:
    tries = f"{attempts} attempt{'s' if attempts > 1 else ''}"
    asked = f"; it asks to wait {fault.wait:.0f} s" if fault.wait is not None else ""
    return type(fault.error)(
        f"{fault.error.message} Given up after {tries}{asked}; the deadline is {deadline:g} s.",
        remedy=fault.error.remedy,
    )
