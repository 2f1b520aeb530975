"""Requests to a service that has to prove itself: canaries ride with the texts, or are asked for by themselves."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from embassay.canaries import CANARY_TEXTS
from embassay.embedders.http.checking import CheckedReply
from embassay.embedders.http.exchange import Exchange, Inquiry, Meter
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.vigil import Riders, Vigil, all_riders
from embassay.errors import BadReply

if TYPE_CHECKING:
    from embassay.canaries import CanaryMemory
    from embassay.embedders.http.api import Caps
    from embassay.embedders.texts.bill import BillCheck
    from embassay.space import Space
    from embassay.types import Counts, Role, Vectors


class Watched(Protocol):
    """What has to be known of the model whose canaries are asked for."""

    @property
    def space(self) -> Space:
        """Where its vectors live."""

    @property
    def tokens(self) -> Counts:
        """Its limits, and an estimate of its tokens."""

    @property
    def caps(self) -> Caps:
        """Most that one request may hold."""

    def prompt(self, role: Role) -> str:
        """What is put before every text of `role`."""


class Watch:
    """An exchange under a vigil. Threads may share it."""

    def __init__(
        self, exchange: Exchange, vigil: Vigil, model: Watched, memory: CanaryMemory | None, deadline: float
    ) -> None:
        """`memory` knows where the service put the canaries when its vectors were kept.

        `deadline`: seconds for the canaries with all retries.
        """
        self._exchange, self._vigil, self._model = exchange, vigil, model
        self._memory, self._deadline = memory, deadline
        self._proving = threading.RLock()
        self.spent = Meter()
        """What the requests for canaries alone took, until somebody accounts for it."""
        self._fitting: int | None = None
        """Most texts that the service took at once, where that is less than was known of it."""

    @property
    def bill(self) -> BillCheck:
        """What the service says that it bills."""
        return self._exchange.bill

    @property
    def answered(self) -> bool:
        """Whether the set-up is known to work."""
        return self._exchange.answered

    def ask(self, inquiry: Inquiry) -> CheckedReply | FailedAttempt:
        """As the exchange answers, with the canaries taken out again.

        Raises ProviderError, and SpaceMismatch where the service turns out to run another model.
        """
        role, count = inquiry.role, len(inquiry.texts)
        riders = self._vigil.riders(role, self._model.prompt(role), self._most - count)
        made = self._send(inquiry, riders)
        refused = isinstance(made, FailedAttempt) and made.action == "split"
        alone = refused and bool(riders.which) and count == 1
        if alone:
            riders = Riders(role)  # the text may pass alone where the two do not
            made = self._send(inquiry, riders)
        if isinstance(made, CheckedReply) and (
            self._vigil.is_due(riders, made.model, self._exchange.failures) or alone
        ):
            self.prove(role)
        return made

    def prove(self, role: Role) -> Vectors:
        """Where the service puts the canaries now: float32 (canaries asked for, dimensions).

        All of them in one request, or one by turns where a request holds no more than that and it is known where they
        have to be. Raises ProviderError, SpaceMismatch.
        """
        prompt, most = self._model.prompt(role), self._most
        if most >= len(CANARY_TEXTS) or self._vigil.expected(role) is None:
            riders = all_riders(role, prompt)
        else:
            riders = self._vigil.some(role, prompt, most)
        made = self._alone(riders)
        self._vigil.check(riders, made)
        return made

    def make_sure(self, role: Role) -> None:
        """Have the service proven before its first documents are taken; a query is proven by its own request.

        Raises ProviderError, SpaceMismatch.
        """
        if not self._vigil.is_on:
            return
        with self._proving:
            for one in self._vigil.roles(role):
                self._learn(one)
                if role == "document" and not self._vigil.is_proven(one):
                    self.prove(one)

    def canaries(self, role: Role) -> Vectors:
        """Where the service puts the canaries. It is asked once; what was known before is given as it was.

        Raises ProviderError, SpaceMismatch.
        """
        with self._proving:
            self._learn(role)
            known = self._vigil.expected(role)
            if known is not None and self._vigil.is_on and self._vigil.is_proven(role):
                return known
            made = self.prove(role)
            return made if known is None else known

    def witness(self, role: Role) -> str:
        """A digest of where the canaries have to be; empty where no vectors are kept. Raises as `canaries` does."""
        with self._proving:
            self._learn(role)
        return self._vigil.witness(role)

    def settle(self, role: Role) -> None:
        """Have the service proven where requests had no room for a canary. Raises ProviderError, SpaceMismatch."""
        if self._vigil.owes_proof:
            self.prove(role)

    def _learn(self, role: Role) -> None:
        """Find out where the canaries have to be, where vectors are kept and nobody knows yet."""
        if self._memory is None or not self._vigil.is_on or self._vigil.expected(role) is not None:
            return
        made = self.prove(role) if self._exchange.dimensions is None else None
        kept_as = self._vigil.proof_of(role)
        known = self._memory.recall(self._model.space, kept_as)
        if known is None:
            made = self.prove(role) if made is None else made
            known = self._memory.remember(self._model.space, kept_as, made)
        self._vigil.learn(role, known)
        if made is not None:
            self._vigil.check(all_riders(role), made)

    @property
    def _most(self) -> int:
        """Most texts of a request."""
        return self._fitting or self._model.caps.inputs

    def _alone(self, riders: Riders) -> Vectors:
        """The vectors of canaries in requests of their own, which are halved like any other where one is refused."""
        import numpy as np

        until, never = time.monotonic() + self._deadline, threading.Event()
        rows: list[Vectors] = []
        at, most = 0, self._most
        while at < len(riders.texts):
            texts = riders.texts[at : at + most]
            tokens = sum(self._model.tokens.count(texts))
            made = self._exchange.ask(
                Inquiry(texts, riders.role, tokens, until, self.spent, never, canaries=len(texts))
            )
            if isinstance(made, CheckedReply):
                for why in made.faults.values():
                    raise _no_canary(why)
                rows.append(made.vectors)
                at += len(texts)
            elif len(texts) > 1:
                most = len(texts) // 2
            else:
                raise made.error
        if most < self._most:
            self._fitting = most
        found: Vectors = np.concatenate(rows)
        return found

    def _send(self, inquiry: Inquiry, riders: Riders) -> CheckedReply | FailedAttempt:
        if not riders.which:
            return self._exchange.ask(inquiry)
        own, tokens = len(inquiry.texts), inquiry.tokens + sum(self._model.tokens.count(riders.texts))
        made = self._exchange.ask(
            replace(inquiry, texts=[*inquiry.texts, *riders.texts], tokens=tokens, canaries=len(riders.texts))
        )
        if isinstance(made, FailedAttempt):
            return made
        if wrong := next((why for at, why in made.faults.items() if at >= own), ""):  # no vector to hold against any
            return FailedAttempt(_no_canary(wrong), "split", doubtful=True)
        self._vigil.check(riders, made.vectors[own:])
        return replace(made, vectors=made.vectors[:own], truncated=made.truncated and made.truncated[:own])


def _no_canary(why: str) -> BadReply:
    """The error where a service that answered has no vector for a canary; `why` is what its reply has instead."""
    return BadReply(f"{why} It was that of a text which every model takes.")
