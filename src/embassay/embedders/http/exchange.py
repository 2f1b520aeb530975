"""Texts in, checked vectors out: one request with its retries, at the pace that the provider bears."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from embassay.embedders.http.api import Api, Description
from embassay.embedders.http.attempts import ALL_TRIES, Attempts, Patience, Tries
from embassay.embedders.http.checking import CheckedReply, ReplyCheck
from embassay.embedders.http.connection import Connection
from embassay.embedders.http.faults import FailedAttempt, read_hidden_failure
from embassay.embedders.http.wire import model_in, page_in
from embassay.embedders.texts.bill import Counted
from embassay.embedders.wrap.budget import Paid
from embassay.errors import BadReply, KeyRejected, ProviderDown, SpaceMismatch
from embassay.remedy import NOTHING, Remedy, say
from embassay.space import OLD_MODEL_OR_NEW_SET

if TYPE_CHECKING:
    from embassay.embedders.http.api import Reply
    from embassay.embedders.http.purse import Purse
    from embassay.embedders.texts.bill import BillCheck
    from embassay.embedders.wrap.budget import Charge
    from embassay.types import Role


@dataclass(slots=True)
class Meter:
    """What the requests of a window took. Several threads add to it."""

    requests: int = 0
    tokens: int | None = 0
    counts: int = 0
    """Tokens that are paid for, whether the provider says how many or not."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, tokens: int | None, counts: int, requests: int = 1) -> None:
        """Add requests: the tokens billed for them, None where the provider did not say, and those that count."""
        with self.lock:
            self.requests += requests
            self.tokens = None if tokens is None or self.tokens is None else self.tokens + tokens
            self.counts += counts

    def take(self, other: Meter) -> None:
        """Count what `other` has counted so far, which begins anew."""
        with other.lock:
            requests, tokens, counts = other.requests, other.tokens, other.counts
            other.requests, other.tokens, other.counts = 0, 0, 0
        self.add(tokens, counts, requests)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Texts whose vectors are asked for, and for how long and how often they are asked for."""

    texts: Sequence[str]
    role: Role
    tokens: int
    """Of all the texts together, as they are estimated."""
    until: float
    """The moment (monotonic) at which it is given up."""
    meter: Meter
    """What its requests take is added there."""
    stopped: threading.Event
    """Set when the caller wants no more."""
    tries: Tries = ALL_TRIES
    canaries: int = 0
    """So many of the texts, at their end, are canaries."""

    @property
    def own(self) -> Sequence[str]:
        """The texts of the caller."""
        return self.texts[: len(self.texts) - self.canaries]


class Exchange:
    """Requests to one provider for vectors of one model, with retries and checks. Threads may share it."""

    def __init__(
        self, api: Api, name: str, dimensions: int | None, bill: BillCheck, purse: Purse, *, normalised: bool
    ) -> None:
        self._api, self._settings, self.name = api, api.settings, name
        self.bill, self.purse = bill, purse
        self._connection = Connection(api, name)
        self.attempts = Attempts(name, api.settings, bill)
        self.check = ReplyCheck(name, dimensions, normalised=normalised)
        self.answered = False
        """Whether the set-up is known to work."""
        self.failures = 0
        """How often the service could not be reached: what comes back may run another model."""
        self._doubtful = False
        """Whether it was not asked for its identity since."""

    @property
    def dimensions(self) -> int | None:
        """Of every vector; None until the first is there, where nobody knows."""
        return self.check.dimensions

    @cached_property
    def description(self) -> Description:
        """What the server says of itself. Raises ProviderError."""
        try:
            return self._api.describe(self._connection.get)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadReply(f"{self.name}: what it says of itself cannot be read ({error}).") from None

    def check_key(self) -> None:
        """Raises KeyMissing or ConfigError where no key is there, or may not be sent; nothing is sent."""
        self._connection.check_key(self._api.request(["text"], "query").path)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def ask(self, inquiry: Inquiry) -> CheckedReply | FailedAttempt:
        """The checked reply; or a fault, where a smaller or another request might pass. Retries until the deadline."""
        request = self._api.request(inquiry.texts, inquiry.role)
        body = msgspec.json.encode({**request.body, **self._settings.body_of(inquiry.role)})
        counted = Counted.of(inquiry.texts, inquiry.tokens)
        self._connection.check_key(request.path)  # before anything is reserved for it

        def once() -> CheckedReply | FailedAttempt:
            if self._doubtful:
                self._check_it_is_the_same()
            with self.purse.charge(inquiry.own, inquiry.role, counted) as charge:
                answer = self._connection.send("POST", request.path, body, inquiry.until)
                made = self._read(answer, inquiry, counted, charge)
            if isinstance(made, CheckedReply):
                self.answered = True
                return made
            if isinstance(made.error, ProviderDown):
                self._doubtful = True
                self.failures += 1
            return self._in_context(made, request.path)

        patience = Patience(inquiry.tokens, inquiry.until, inquiry.stopped, inquiry.tries)
        return self.attempts.answered(once, patience)

    def _read(
        self,
        answer: tuple[bytes, Mapping[str, str]] | FailedAttempt,
        inquiry: Inquiry,
        counted: Counted,
        charge: Charge,
    ) -> CheckedReply | FailedAttempt:
        """What an answer says; what it cost is settled, and added to the meter of the inquiry."""
        count, meter = len(inquiry.texts), inquiry.meter
        made = answer if isinstance(answer, FailedAttempt) else self._parsed(*answer, count)
        if isinstance(made, FailedAttempt):
            billed = made.unanswered or isinstance(made.error, BadReply)  # nobody says that it was not
            meter.add(0, counted.most if billed else 0)
            if not billed:
                charge.settle(Paid(0.0))
            return made
        assert not isinstance(answer, FailedAttempt), "only an answer can be read"
        body, _ = answer
        settled = self.bill.settle(made.tokens, counted)
        meter.add(settled.tokens, settled.counts)
        charge.settle(self.purse.paid(settled))
        return self.check(made, count, model_in(body))

    def _parsed(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply | FailedAttempt:
        try:
            return self._api.parse(body, headers, count)
        except BadReply as error:
            words, remedy, misplaced = error.message, error.remedy, not error.remedy
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            (words, remedy), misplaced = _unreadable(body, error), True
        hidden = read_hidden_failure(headers, body, self.name)
        bad = BadReply(f"{self.name}: {words}", remedy=remedy)
        fault = hidden or FailedAttempt(bad, "split", doubtful=True, misplaced=misplaced)
        return fault.worded(self._connection.hushed(fault.error.message))

    def _check_it_is_the_same(self) -> None:
        """Raises SpaceMismatch where a server came back with other weights. Most do not say, and are believed."""
        known = self.__dict__.get("description")
        if known and (known.revision or known.model):
            now = self._api.describe(self._connection.get)
            if (now.revision, now.model) != (known.revision, known.model):
                is_now, was = now.revision[:12] or now.model, known.revision[:12] or known.model
                raise SpaceMismatch(
                    f"{self.name}: the server now runs {is_now}, it was {was}.",
                    remedy=OLD_MODEL_OR_NEW_SET,
                )
        self._doubtful = False

    def _in_context(self, fault: FailedAttempt, path: str) -> FailedAttempt:
        """The fault as it is to be understood before the first good answer: of the address and the key, not a text."""
        if self.answered:
            return fault
        if isinstance(fault.error, KeyRejected):
            return replace(fault, doubtful=False)
        return self._connection.placed(fault, path)


def _unreadable(body: bytes, error: Exception) -> tuple[str, Remedy]:
    """What a body is that nobody can read as a reply, and what may help."""
    if page := page_in(body):
        remedy = say("Check base_url, and whether a proxy or a login stands before the service.")
        return f"the reply is a web page ({page}).", remedy
    start = body[:80].decode("utf-8", "replace")
    return f"the reply is not what its documentation says ({error}): {start!r}.", NOTHING
