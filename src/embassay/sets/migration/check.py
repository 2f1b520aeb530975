"""The contract of a check, and of whatever else judges a new generation before it may be switched to.

A check is a module of `checks/` with ``EMBEDS``, which says whether it needs the model, and ``check(evidence) ->
Check | None``; None where it does not apply. Its name is the file's name. A check reads the evidence, which is gathered
once for all of them, and raises as the model and the stores do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation


@dataclass(frozen=True, slots=True)
class Check:
    """What one check of a new generation found."""

    name: str
    passed: bool
    detail: str
    """In one sentence, with figures."""
    figures: Mapping[str, object] = field(default_factory=dict)
    warned: bool = False
    """Whether it passed with something that whoever switches has to know."""

    def to_dict(self) -> dict[str, object]:
        """The check as it is stored, and as JSON has it."""
        said = {"name": self.name, "passed": self.passed, "warned": self.warned, "detail": self.detail}
        return said | {"figures": {**self.figures}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Check:
        """The check that `to_dict` made. Raises KeyError for anything else."""
        said = stored["name"], stored["passed"], stored["detail"]
        return cls(*said, stored.get("figures", {}), stored.get("warned", False))


class Verifier(Protocol):
    """Holds a new generation against the live one before it may be switched to."""

    def __call__(self, sets: OpenSets, live: Generation, new: Generation) -> Sequence[Check]:
        """Every check that was made. Raises as the model and the store do."""
