"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from embassay.errors import SetNotFound
from embassay.server.refusals import NotAllowed

Right = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a key belongs to."""

    id: str
    name: str
    rights: frozenset[Right]
    sets: frozenset[str] | None = None
    """Names of the sets that it sees; None: all."""
    models: frozenset[str] | None = None
    """Names of the models that it may use; None: all that are served."""

    def may(self, right: Right, *, set: str | None = None, model: str | None = None) -> bool:
        """Whether it has a right, on a set and with a model where they are named."""
        return (
            right in self.rights
            and (set is None or self.sets is None or set in self.sets)
            and (model is None or self.models is None or model in self.models)
        )

    def check(self, right: Right, *, set: str | None = None, model: str | None = None) -> None:
        """Raises NotAllowed where it may not; a set that it does not see is not found: SetNotFound."""
        if set is not None and self.sets is not None and set not in self.sets:
            raise SetNotFound(f"no set {set!r}.")
        if not self.may(right, model=model):
            about = f" with the model {model}" if model else ""
            raise NotAllowed(f"this key does not allow to {right}{about}.")


ANYONE = Principal("", "anyone", frozenset(("read", "write", "admin")))
"""Whoever asks a server that has no keys, and listens on this machine alone."""
