"""What a trial is begun with: how long it runs, from which figures on it keeps or reverts, and what it looks at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from embassay import remedy
from embassay.arguments import shown
from embassay.errors import UsageError

SECONDS_A_DAY = 24 * 3600.0
LONGEST_DAYS = 366.0
UNTIL_DECIDED = 253_402_300_799.0
"""Until when a generation is kept that a trial holds: the end of year 9999. Its decision puts a moment in its place."""

Says = Literal["keep", "revert", "open", "nothing"]
"""Of one kind of evidence: past one of the thresholds, past neither for certain, or nothing was observed."""
Decision = Literal["keep", "revert", "undecided"]


@dataclass(frozen=True, slots=True)
class TrialTerms:
    """On which terms a set is switched for a trial.

    Thresholds are relative to what the old generation reaches: with `keep_above` 0.1 and an nDCG@10 of 0.600 the new
    one has to reach 0.660. A threshold is passed where the whole 95 % interval of the difference lies beyond it.
    """

    days: float = 7.0
    """How long it runs; more than 0, and at most 366."""
    keep_above: float = 0.0
    """The new generation stays where it is better by this share at least: 0.1 is 10 %. A negative one is what it may
    be worse by and still stay."""
    revert_below: float = 0.0
    """The old one comes back where the new one is worse by this share at least: 0.05 is 5 % worse."""
    judged: str = ""
    """The folder of the judged set, as the name of a source is kept: relative to the home's project."""
    digest: str = ""
    """Of that judged set when the trial began; empty where nobody has looked."""
    mode: str = "hybrid"
    """How the judged queries are searched: what is measured should be what is served."""

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be."""
        for name in ("days", "keep_above", "revert_below"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise UsageError(f"{name} of a trial is {shown(value)}; it must be a number.")
        for name in ("judged", "digest", "mode"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"{name} of a trial is {shown(getattr(self, name))}; it must be a string.")
        if not 0 < self.days <= LONGEST_DAYS:
            raise UsageError(f"a trial of {self.days:,g} days: it takes more than 0 and at most {LONGEST_DAYS:g} days.")
        if not (math.isfinite(self.keep_above) and -1 < self.keep_above <= 10):
            raise UsageError(
                f"it would be kept above {self.keep_above:.4g}: write a share from -1 to 10, such as 0.1 "
                "for 10 % better."
            )
        if not 0 <= self.revert_below < 1:
            raise UsageError(
                f"it would be reverted below {self.revert_below:.4g}: write by how much it may be worse, as a share "
                "from 0 to 1, such as 0.05 for 5 % worse."
            )
        if self.keep_above < -self.revert_below:
            raise UsageError(
                f"what is {-self.keep_above:.4g} worse would be kept, and what is {self.revert_below:.4g} worse "
                "reverted.",
                remedy=remedy.option("revert_below", f"{-self.keep_above:.0%}", say="Raise the second, for instance"),
            )

    def says(self, low: float, high: float) -> Says:
        """What a relative difference says that lies between `low` and `high` with 95 % confidence."""
        if low >= self.keep_above and high > -self.revert_below:
            return "keep"
        return "revert" if high <= -self.revert_below else "open"

    def to_dict(self) -> dict[str, Any]:
        """As they are stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> TrialTerms:
        """The terms that `to_dict` made. Raises UsageError for what they cannot be."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


@dataclass(frozen=True, slots=True)
class TrialFinding:
    """What one kind of evidence says of the new generation against the old one."""

    name: str
    """``judged`` or ``log``."""
    says: Says
    detail: str
    """In one sentence, with figures."""
    relative: float | None = None
    """The relative difference, new against old: 0.1 is 10 % better. None where nothing can be said."""
    interval: tuple[float, float] | None = None
    """Of it, with 95 % confidence."""
    figures: Mapping[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The finding as it is stored, and as JSON has it."""
        plain: dict[str, object] = {name: getattr(self, name) for name in ("name", "says", "detail", "relative")}
        return plain | {"interval": self.interval and [*self.interval], "figures": {**self.figures}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> TrialFinding:
        """The finding that `to_dict` made. Raises KeyError for anything else."""
        interval = stored["interval"]
        return cls(
            stored["name"],
            stored["says"],
            stored["detail"],
            stored["relative"],
            (interval[0], interval[1]) if interval else None,
            stored["figures"],
        )


def decision(findings: Iterable[TrialFinding]) -> Decision:
    """What all of them say: one that says keep or revert decides, unless another says the contrary."""
    said = {one.says for one in findings}
    if {"keep", "revert"} <= said:
        return "undecided"
    return "keep" if "keep" in said else "revert" if "revert" in said else "undecided"
