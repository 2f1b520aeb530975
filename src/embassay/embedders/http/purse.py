"""What the requests for vectors of one model cost: reserved before each is sent, settled when it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay.embedders.wrap.budget import Budget, Charge, Order, Paid
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.embedders.texts.bill import Counted, Settled

MARK_BYTES = 8


class Purse:
    """A model that is billed, by the token or another unit, and the budget that pays for it. Threads may share it."""

    def __init__(self, budget: Budget | None, model: str, price: float | None) -> None:
        """`price`: USD per million of what is billed. Without a budget or a price nothing is counted."""
        self._budget, self._model, self._price = budget, model, price or 0.0

    @property
    def pays(self) -> bool:
        """Whether requests are paid for from a budget."""
        return self._budget is not None and self._price > 0

    def charge(self, texts: Sequence[str], role: str, counted: Counted) -> Charge:
        """Reserve what a request may cost; `texts` are the caller's own, without canaries. Raises SpendCapReached."""
        if self._budget is None or not self.pays:
            return Charge(None, 0, Order(self._model, role, 0.0))
        marks = [_mark(self._model, role, text) for text in texts]
        return self._budget.charge(Order(self._model, role, self._usd(counted.most), len(texts), marks))

    def paid(self, settled: Settled) -> Paid:
        """What an answer cost, by what it says and how that was checked."""
        reported = None if settled.tokens is None else self._usd(settled.tokens)
        return Paid(self._usd(settled.counts), settled.counts, reported)

    def _usd(self, tokens: int) -> float:
        return tokens * self._price / 1e6


def _mark(model: str, role: str, text: str) -> bytes:
    return blake2b(f"{model}\0{role}\0{encodable(text)}".encode(), digest_size=MARK_BYTES).digest()
