"""What a ledger adds up to by one thing: by day, by run, by what it was for, by model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from embassay.models.ledger import Ledger, Term

SpentBy = Literal["day", "run", "purpose", "model"]


@dataclass(frozen=True, slots=True)
class LedgerSum:
    """What one day, run, purpose or model took."""

    name: str
    """Empty: the runs of old days, which are added up."""
    requests: int
    texts: int
    tokens: int
    usd: float
    lost_usd: float
    """Part of it: of requests to which no answer came."""
    first: float
    last: float
    """Seconds since 1970: when the first and the last of it was written down."""


def sums_by(ledger: Ledger, by: SpentBy, term: Term, limit: int = 100) -> list[LedgerSum]:
    """The sums of `term`: days in order, the newest runs first, all else the dearest first. Raises LedgerError."""
    if not ledger.file.is_there:
        return []
    order = {"day": "day DESC", "run": "max(last) DESC"}.get(by, f"sum(usd) DESC, {by}")
    where, value = ("run = ?", term.run) if term.run else ("day >= ?", term.since)
    with ledger.file.reading() as db:
        rows = db.execute(
            f"SELECT {by}, sum(requests), sum(texts), sum(tokens), sum(usd), sum(lost_usd), min(first), max(last) "
            f"FROM entries WHERE {where} GROUP BY {by} ORDER BY {order} LIMIT ?",
            (value, limit),
        ).fetchall()
    found = [LedgerSum(*row) for row in rows]
    return found[::-1] if by == "day" else found
