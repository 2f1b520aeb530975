"""Holds what a service answers against where it put the canary texts before.

An address says nothing of the model behind it. Wherever vectors are kept, in a set or in the cache, each request
carries a canary text besides its own, and its vector has to be where it was. Where requests have no room for a canary,
the service is asked for canaries by themselves, seldom enough not to matter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import CANARY_TEXTS, SAME_SPACE, least_likeness
from embassay.errors import SpaceMismatch
from embassay.space import OLD_MODEL_OR_NEW_SET

if TYPE_CHECKING:
    from embassay.canaries import Canaries
    from embassay.space import Similarity
    from embassay.types import Role, Vectors

EVERY_REQUESTS, EVERY_SECONDS = 100, 300.0
"""How often a service is asked for a canary where requests have no room for one: at most one request in a hundred."""

OLD_MODEL_OR_REVISION = remedy.setting("revision", "NAME", say="Put the old model back, or tell the two apart by {}.")


@dataclass(frozen=True, slots=True)
class Riders:
    """Canaries that ride in a request, behind its own texts."""

    role: Role
    which: Sequence[int] = ()
    texts: Sequence[str] = ()
    """As they are sent, prompt included."""


def all_riders(role: Role, prompt: str = "") -> Riders:
    """All canaries, in their order."""
    return Riders(role, range(len(CANARY_TEXTS)), [prompt + text for text in CANARY_TEXTS])


class Vigil:
    """What is known of a service, and what it still has to prove. Threads may share it."""

    def __init__(
        self,
        name: str,
        anchor: Canaries | None,
        *,
        keeps: bool,
        roles_differ: bool = True,
        similarity: Similarity = "cosine",
        forget: Callable[[Sequence[bytes]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`anchor`: where a set's model put the canaries. `keeps`: whether vectors are kept in a cache.

        `forget` is given the keys of those that were kept since the service was last proven, where it fails.
        `roles_differ`: whether the same text is sent in another way as query and as document.
        """
        self._name, self._clock, self._forget = name, clock, forget
        self._kept: list[bytes] = []
        self._roles_differ, self._similarity = roles_differ, similarity
        self._expected: dict[Role, Vectors] = dict(anchor or {})
        self.is_anchored = anchor is not None
        """Whether it is a set that the service is held against."""
        self.is_on = keeps or self.is_anchored
        """Whether vectors outlive the process, so that they may meet those of another model."""
        self._lock = threading.Lock()
        self._proven: set[Role] = set()
        self._turn = 0
        self._unproven = 0
        self._proven_at = clock()
        self._said = ""
        self._failures = 0

    def proof_of(self, role: Role) -> Role:
        """The role whose canaries prove `role`: documents stand for queries too where both are sent alike."""
        return role if self._roles_differ else "document"

    def expected(self, role: Role) -> Vectors | None:
        """Where the canaries have to be; None while nobody knows."""
        return self._expected.get(self.proof_of(role))

    def learn(self, role: Role, vectors: Vectors) -> None:
        """Where the canaries have to be from now on, unless that is known."""
        with self._lock:
            self._expected.setdefault(self.proof_of(role), vectors)

    def witness(self, role: Role) -> str:
        """A digest of where the canaries have to be; empty while nobody knows."""
        known = self.expected(role)
        return "" if known is None else blake2b(known.tobytes(), digest_size=8).hexdigest()

    def is_proven(self, role: Role) -> bool:
        """Whether the service has put canaries where they have to be, in this process."""
        return self.proof_of(role) in self._proven

    def roles(self, role: Role) -> Sequence[Role]:
        """Whose proof a call in `role` needs: documents go into a set, which is searched in both roles."""
        return ("document", "query") if self.is_anchored and role == "document" else (role,)

    def riders(self, role: Role, prompt: str, room: int) -> Riders:
        """The canaries of the next request, at most `room`: all until they are proven, then one by turns."""
        if not self.is_on or room < 1 or self.expected(role) is None:
            return Riders(role)
        return self.some(role, prompt, 1 if self.is_proven(role) else room)

    def some(self, role: Role, prompt: str, count: int) -> Riders:
        """The next `count` canaries by turns, or all where that is less."""
        with self._lock:
            self._turn += 1
            which = [(self._turn + at) % len(CANARY_TEXTS) for at in range(min(count, len(CANARY_TEXTS)))]
        return Riders(role, which, [prompt + CANARY_TEXTS[at] for at in which])

    def check(self, riders: Riders, made: Vectors) -> None:
        """Raises SpaceMismatch where the canaries are not where they have to be."""
        known = self.expected(riders.role)
        if known is None or not riders.which:
            return
        expected = known[list(riders.which)]
        cosine = least_likeness(made, expected, self._similarity)
        if cosine < SAME_SPACE:
            with self._lock:
                doubtful, self._kept = self._kept, []
            self._forget(doubtful)
            raise self._mismatch(riders.role, cosine)
        with self._lock:
            self._kept = []
            self._proven.add(self.proof_of(riders.role))
            self._unproven, self._proven_at = 0, self._clock()

    @property
    def owes_proof(self) -> bool:
        """Whether requests were answered since the service was last proven."""
        return self._unproven > 0

    def kept(self, keys: Sequence[bytes]) -> None:
        """Vectors of the service were kept under these keys."""
        if self.is_on:
            with self._lock:
                self._kept += keys

    def is_due(self, riders: Riders, model: str, failures: int) -> bool:
        """Count a request that was answered; whether the service has to be asked for canaries by themselves now.

        That is so where it calls its `model` by another name than before. Where no canary rode with the request it is
        also so while the service has proven nothing yet, where it was out of reach meanwhile, as the number of its
        `failures` tells, and where the last canary is long ago.
        """
        if not self.is_on:
            return False
        with self._lock:
            before, self._said = self._said, model or self._said
            renamed = bool(model and before and model != before)
            came_back, self._failures = failures != self._failures, failures
            if riders.which:
                return renamed
            self._unproven += 1
            long_ago = self._unproven >= EVERY_REQUESTS or self._clock() - self._proven_at > EVERY_SECONDS
            unknown = not self.is_proven(riders.role) and self.expected(riders.role) is not None
            return renamed or came_back or long_ago or unknown

    def _mismatch(self, role: Role, cosine: float) -> SpaceMismatch:
        whose = "of this set" if self.is_anchored else "in the cache"
        return SpaceMismatch(
            f"{self._name} makes other vectors than those {whose}: as {role}, a text that is known has the cosine "
            f"{cosine:.2f} to what it was. Another model is served under this name.",
            remedy=OLD_MODEL_OR_NEW_SET if self.is_anchored else OLD_MODEL_OR_REVISION,
        )
