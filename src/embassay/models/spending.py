"""What was spent in the time that the spend cap is for, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from embassay.models.ledger import Entry, Term

if TYPE_CHECKING:
    from embassay.embedders.wrap.budget import Period
    from embassay.models.registry import Registry


@dataclass(frozen=True, slots=True)
class Spending:
    """The sums of a ledger, in USD. Without a cap, and where each run has its own, they are those of the month."""

    ledger: str
    """The file."""
    cap_usd: float | None
    per: Period
    since: str
    """The first day (UTC) that counts."""
    spent_usd: float
    reserved_usd: float
    """For requests that are under way now."""
    left_usd: float | None
    """Of the cap; None without one."""
    entries: Sequence[Entry]
    """By purpose, model and role, the dearest first."""

    @property
    def lost_usd(self) -> float:
        """Part of what is spent: requests of processes that ended before the answer came."""
        return sum(entry.lost_usd for entry in self.entries)

    @property
    def repeated(self) -> int:
        """Texts that were sent again because such a request had held them."""
        return sum(entry.repeated for entry in self.entries)

    def to_dict(self) -> dict[str, object]:
        """The sums as JSON has them."""
        names = ("ledger", "cap_usd", "per", "since", "spent_usd", "reserved_usd", "left_usd", "lost_usd", "repeated")
        return {name: getattr(self, name) for name in names} | {"entries": [asdict(entry) for entry in self.entries]}


def spending(models: Registry) -> Spending:
    """What the ledger of `models` says now. Raises LedgerError."""
    settings, ledger = models.config.embeddings, models.ledger
    ledger.sweep()
    term = Term.of("day" if settings.spend_cap_per == "day" else "month", "", ledger.now())
    spent, reserved = ledger.used(term)
    cap = settings.spend_cap_usd
    of_a_run = cap is None or settings.spend_cap_per == "run"
    left = cap if of_a_run or cap is None else max(0.0, cap - spent - reserved)
    return Spending(
        str(ledger.file.path), cap, settings.spend_cap_per, term.since, spent, reserved, left, ledger.entries(term)
    )
