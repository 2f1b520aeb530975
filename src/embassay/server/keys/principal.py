"""Who makes a request, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from embassay import remedy
from embassay.errors import SetNotFound
from embassay.server.keys.rates import UNLIMITED, PerMinute
from embassay.server.refusals import NotAllowed

Right = Literal["read", "write", "admin"]
RANK: dict[Right, int] = {"read": 0, "write": 1, "admin": 2}
"""Each right has those of lower rank in it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a key, or anyone where no key is needed.

    A handler asks `check` before it looks anything up, so that what it may not see is refused in the same way whether
    it is there or not.
    """

    id: str
    """Of the key, as the audit log has it; empty without one."""
    name: str
    """What the key is called."""
    right: Right = "read"
    sets: frozenset[str] | None = None
    """Names of the sets that it may use; None for all."""
    models: frozenset[str] | None = None
    """Names of the models that it may ask for, as a request says them; None for all."""
    rates: PerMinute = UNLIMITED
    slot: int = 0
    """Where its use is counted, see `embassay.server.keys.use`; 0 where it is not."""

    def may(self, right: Right, *, set: str | None = None, model: str | None = None) -> bool:
        """Whether it may do this, to this set and with this model where they are given."""
        return (
            RANK[self.right] >= RANK[right]
            and (set is None or self.sets is None or set in self.sets)
            and (model is None or self.models is None or model in self.models)
        )

    def check(self, right: Right, *, set: str | None = None, model: str | None = None) -> None:
        """Raises SetNotFound for a set that it may not see, as if it were not there, else NotAllowed."""
        if set is not None and self.sets is not None and set not in self.sets:
            raise self.no_set(set)
        if model is not None and self.models is not None and model not in self.models:
            raise NotAllowed(
                f"the key {self.name} may not use the model {model[:100]!r}.",
                remedy=remedy.say(f"It may use: {', '.join(sorted(self.models))}."),
            )
        if RANK[self.right] < RANK[right]:
            raise NotAllowed(
                f"this needs a key with the right to {_WORDS[right]}, and the key {self.name} may {self.right} alone.",
                remedy=remedy.command("keys create", "NAME", **{right: True}, say="Whoever runs the server makes one"),
            )

    def visible(self, sets: Iterable[str]) -> list[str]:
        """Of these sets, those that it may see."""
        return [name for name in sets if self.sets is None or name in self.sets]

    def no_set(self, name: str) -> SetNotFound:
        """The error for a set that is not there for this principal, which names no set of anybody else's."""
        said = f"there is no set {name[:100]!r}." if name else "there is no such set."
        if self.sets is None:
            return SetNotFound(said)
        mine = f"This key may use: {', '.join(sorted(self.sets))}." if self.sets else "This key may use no set."
        return SetNotFound(said, remedy=mine)


_WORDS: dict[Right, str] = {"read": "read", "write": "write", "admin": "administer"}

ANYONE = Principal("", "anyone", "admin")
"""Whoever asks a server on which no key was made yet: it listens on loopback alone."""
