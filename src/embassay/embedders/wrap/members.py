"""The models of a chain, and what is known of their spaces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS, SAME_SPACE, Anchor, Canaries, CanaryMemory, least_likeness
from embassay.embedders.base import Embedder
from embassay.embedders.wrap.breaker import Breaker
from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import ConfigError, EmbassayError, ModelError, PluginError, ProviderError, SpaceMismatch
from embassay.space import Space
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.types import Role, Vectors

ABOUT_THE_MEMBER = (ProviderError, ModelError, PluginError, ConfigError, SpaceMismatch)
"""Errors that another model may not have."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a model of another space by name puts the canaries where the first model of its chain does."""

    space: Space
    cosine: float
    """The least one of all canaries in both roles."""


@dataclass(slots=True)
class Member:
    """One model of a chain."""

    name: str
    open: Callable[[], Embedder]
    breaker: Breaker
    equal: bool | None = None
    """Whether its space was proven to be the chain's; None: not yet."""
    proof: Proof | None = None
    """How, where that was by canaries."""
    difference: str = ""
    """Why it cannot be the first model, whatever the canaries say."""

    def failed(self, error: EmbassayError, causes: dict[str, EmbassayError]) -> None:
        """Leave it alone for a while, and note in `causes` why. What comes back has to prove itself again."""
        self.breaker.failed(error)
        self.equal = None
        causes[self.name] = error


def _proves_itself(embedder: Embedder) -> bool:
    """Whether a model that was proven once needs no other proof: what is behind an address may change at any time."""
    return embedder.is_trusted or embedder.carries_canaries or not embedder.remote


class SharedSpace:
    """The space of a chain is that of its first model. Other models share it if they put the canaries alike.

    The first model may be out of reach when that has to be told: what it said of its space when a set was made, and
    where it put the canaries then, may be known all the same.
    """

    def __init__(
        self, first: Member, memory: CanaryMemory | None, anchor: Anchor | None = None, *, alone: bool
    ) -> None:
        """`anchor`: where the canaries were when the set was made that the chain is for.

        `alone`: there is no other model to compare with, so the first is not asked for the canaries.
        """
        self._first, self._memory, self._alone = first, memory, alone
        self._true: Space | None = None
        self._assumed: Space | None = None
        self._anchor = anchor
        self._canaries: dict[Role, Vectors] = dict(anchor.made if anchor else {})
        self._may_ask = True
        self._lock = threading.Lock()

    def assume(self, space: Space) -> bool:
        """Believe that the space is `space` while the first model cannot be asked; whether that overturns proofs."""
        with self._lock:
            overturned = space != self._assumed and self._true is None
            if overturned and self._anchor is None:
                self._canaries = {}
            self._assumed = space
            return overturned

    def get(self) -> Space:
        """The first model's own; where that is out of reach, what `assume` was told. Raises as the model does."""
        if self._true is None and (self._assumed is None or self._first.breaker.admits()):
            try:
                self._true = self._first.open().space
            except ABOUT_THE_MEMBER as error:
                if self._assumed is None:
                    raise
                self._first.breaker.failed(error)
        known = self.known
        assert known is not None
        return known

    @property
    def known(self) -> Space | None:
        """What is known of the space without asking any model; None where nothing is."""
        return self._true or self._assumed

    def learn(self, space: Space) -> None:
        """Believe what the first model has just said, and ask it for the canaries while it is well."""
        self._true = self._true or space
        if not self._alone:
            self._own_canaries()

    def includes(self, member: Member, embedder: Embedder) -> bool:
        """Whether a model's vectors belong to the space: by its digest, or proven by the canaries in both roles.

        Where the first model cannot be asked, unproven is not included. Raises what embedding raises.
        """
        if member.equal is None or (member.equal and not _proves_itself(embedder)):
            same = self.known is not None and embedder.space == self.known
            if same and embedder.is_trusted:
                member.equal = True
            elif member.difference:
                member.equal = False
            elif (expected := self._own_canaries()) is not None:
                similarity = (self.known or embedder.space).similarity  # what the vectors are wanted for, not made for
                cosines = [least_likeness(self._put(embedder, role), expected[role], similarity) for role in ROLES]
                member.equal = min(cosines) >= SAME_SPACE
                member.proof = Proof(embedder.space, min(cosines)) if member.equal and not same else None
            elif same:
                member.equal = True
        return bool(member.equal)

    def _put(self, embedder: Embedder, role: Role) -> Vectors:
        """Where a model puts the canaries now: a vector that was kept says nothing of the model that answers.

        Terms are spelled out where the first model's own canaries were made so.
        """
        if self._anchor and self._anchor.is_plain:
            return embedder.canaries(role)
        return uncached(embedder).embed(CANARY_TEXTS, role).vectors

    def _own_canaries(self) -> Canaries | None:
        """Where the first model puts the canaries: known in this process, remembered, or, if it is well, asked for."""
        with self._lock:
            missing = [role for role in ROLES if role not in self._canaries]
            if missing:
                try:
                    found = self._find_canaries(missing)
                except EmbassayError:
                    return None
                if found is None:
                    return None
                self._canaries |= found
            return self._canaries

    def _find_canaries(self, roles: Sequence[Role]) -> dict[Role, Vectors] | None:
        well = self._first.breaker.cause is None
        if not (well or self.known or self._may_ask):
            return None  # its space may cost a request that fails: once is enough
        self._may_ask = well
        space = self.known or self._first.open().space
        found: dict[Role, Vectors] = {}
        for role in roles:
            kept = self._memory.recall(space, role) if self._memory else None
            if kept is None:
                if not well:
                    return None
                made = self._put(self._first.open(), role)
                kept = self._memory.remember(space, role, made) if self._memory else made
            found[role] = kept
        return found
