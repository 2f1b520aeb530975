"""What was spent and what is left, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from embassay.cli.tables import Fitting, table

if TYPE_CHECKING:
    from embassay.models.ledger import Entry
    from embassay.models.spending import Spending


def line_of(spent: Spending) -> str:
    """One line: what was spent, and what is left of the cap."""
    if spent.cap_usd is None:
        left = "there is no cap"
    elif spent.per == "run":
        left = f"each run may spend ${spent.cap_usd:g}"
    else:
        left = f"{_usd(spent.left_usd or 0.0)} of ${spent.cap_usd:g} a {spent.per} is left"
    parts = [f"Spent since {spent.since}: {_usd(spent.spent_usd)}", *_particulars(spent)]
    return f"{', '.join(parts)}; {left}."


def table_of(spent: Spending) -> Fitting:
    """What it was spent on."""
    heads = ("for", "model", "role", "requests", "texts", "tokens", "counted", "reported", "lost", "again")
    return table(heads, [_row(entry) for entry in spent.entries], left=("for", "model", "role"))


def _particulars(spent: Spending) -> Iterator[str]:
    if spent.reserved_usd:
        yield f"{_usd(spent.reserved_usd)} more under way"
    if spent.lost_usd:
        yield f"{_usd(spent.lost_usd)} of it for requests without an answer"
    if spent.repeated:
        yield f"{spent.repeated:,} of their texts sent again"


def _row(entry: Entry) -> list[str]:
    counts = (f"{entry.requests:,}", f"{entry.texts:,}", f"{entry.tokens:,}")
    lost = f"{entry.lost:,}" if entry.lost else ""
    again = f"{entry.repeated:,}" if entry.repeated else ""
    return [entry.purpose, entry.model, entry.role, *counts, _usd(entry.usd), _usd(entry.reported_usd), lost, again]


def _usd(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.4f}" if usd >= 0.00005 else "< $0.0001"
