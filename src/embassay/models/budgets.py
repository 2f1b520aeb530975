"""What models may spend: the cap of the configuration, and one for a piece of work over all processes that do it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.embedders.wrap.budget import LOOK_SECONDS, WAIT_SECONDS, Budget, Charge, Order, Paid, is_money
from embassay.errors import SpendCapReached
from embassay.events import Events, Warned
from embassay.models.ledger import Ledger, Payer, Term

if TYPE_CHECKING:
    from embassay.config.values import Config


def configured_budget(config: Config, ledger: Ledger, payer: Payer, events: Events, *, must: bool = False) -> Budget:
    """The cap of the configuration, kept in the ledger; with `must` nothing is spent that is not written there."""
    from embassay.models.ledger_book import LedgerBook

    cap, per = config.embeddings.spend_cap_usd, config.embeddings.spend_cap_per
    warn = lambda text: events.tell(Warned(text))  # noqa: E731
    return Budget(cap, LedgerBook(ledger, payer, per, must=must or cap is not None, warn=warn), per)


class RunBudget(Budget):
    """What one run may spend: as much as its own cap and the budget around it allow. Each request is booked once."""

    def __init__(
        self, around: Budget, ledger: Ledger, payer: Payer, usd: float, mend: remedy.Remedy = remedy.NOTHING
    ) -> None:
        """`usd` is for all that `payer` spends, whenever. Raises UsageError for what is no sum of money."""
        from embassay.models.ledger_book import LedgerBook

        super().__init__(usd, LedgerBook(ledger, payer, "run", must=True))
        self._around, self._ledger, self._mend = around, ledger, mend
        self._term = Term(run=payer.run)
        self._one_by_one = threading.Lock()

    @property
    def remaining(self) -> float:
        """USD that both leave."""
        return min(super().remaining, self._around.remaining)

    def promise(self, usd: float) -> bool:
        """See `Budget.promise`."""
        if not super().promise(usd):
            return False
        if self._around.promise(usd):
            return True
        super().release(usd)
        return False

    def release(self, usd: float) -> None:
        """See `Budget.release`."""
        super().release(usd)
        self._around.release(usd)

    def charge(self, order: Order) -> Charge:
        """See `Budget.charge`: one request after the other is looked at, so that two cannot take the same room."""
        until = time.monotonic() + WAIT_SECONDS
        while is_money(order.usd):
            with self._one_by_one:
                spent, reserved = self._ledger.used(self._term)
                if spent + reserved + order.usd <= (self.usd or 0.0):
                    return Charge(self, self._around.charge(order).key, order)
            if not reserved or time.monotonic() > until:
                break
            time.sleep(LOOK_SECONDS)
        raise self.reached(order.model)

    def close(self, key: int, order: Order, paid: Paid) -> None:
        """See `Budget.close`."""
        self.own += paid.usd
        self._around.close(key, order, paid)

    def note(self, order: Order, paid: Paid) -> None:
        """See `Budget.note`."""
        self._around.note(order, paid)

    def reached(self, name: str) -> SpendCapReached:
        """The error of whichever cap leaves less."""
        if self._around.remaining < super().remaining:
            return self._around.reached(name)
        spent = self._ledger.used(self._term)[0]
        return SpendCapReached(
            f"{name}: the cap of ${self.usd:g} of this work is reached (${spent:.4f} spent in all its runs).",
            remedy=self._mend,
        )
