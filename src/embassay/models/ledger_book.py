"""The book of a run that keeps its figures in the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable

from embassay.embedders.wrap.budget import Order, Paid, Period
from embassay.embedders.wrap.payers import PAYERS
from embassay.errors import LedgerError
from embassay.models.ledger import Ledger, Payer, Term, end_of

FRESH_SECONDS = 0.2
"""How old the sums of the ledger may be where only a promise is made of them; a request looks at those of now."""
SWEEP_SECONDS = 1.0
"""How often requests of processes that have ended are looked for while one waits for room."""


class LedgerBook:
    """See `embassay.embedders.wrap.budget.Book`. Threads may share it."""

    def __init__(
        self, ledger: Ledger, payer: Payer, per: Period, *, must: bool, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        """`must`: whether nothing may be spent that cannot be written down, because a cap has to be kept.

        Otherwise `warn` is told once that the ledger cannot be used, and the work goes on.
        """
        self._ledger, self._payer, self._per = ledger, payer, per
        self._must, self._warn = must, warn
        self._looked = self._swept = float("-inf")
        self._sums = 0.0, 0.0
        self._fails = False

    @property
    def since(self) -> str:
        """The first day that counts, in words."""
        term = self._term()
        return f"since {term.since}" if term.since else ""

    @property
    def renewed(self) -> float | None:
        """When that time is over: seconds since 1970; None for one run."""
        return end_of(self._per, self._ledger.now())

    def spent(self) -> float:
        """USD that were spent in the time that is counted, as the ledger has it now."""
        return self._read(0.0)[0]

    def used(self) -> float:
        """The same with what is reserved, as it was a moment ago."""
        return sum(self._read(FRESH_SECONDS))

    def is_busy(self) -> bool:
        """Whether requests are under way. Those of processes that have ended are not waited for."""
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            self._ledger.sweep()
        return self._read(0.0)[1] > 0

    def open(self, order: Order, cap: float | None) -> int | None:
        """Raises LedgerError where a cap has to be kept and the ledger cannot be written."""
        try:
            key = self._ledger.reserve(self._payer, order, self._term(), cap, PAYERS.get())
        except LedgerError as error:
            if self._must:
                raise
            self._failed(error)
            return 0
        self._looked = float("-inf")
        return key

    def close(self, key: int, order: Order, paid: Paid) -> None:  # noqa: ARG002 - the ledger knows what it was for
        """A reservation that cannot be settled stays, and counts as lost once this process has ended."""
        try:
            if key:
                self._ledger.settle(key, paid)
                self._looked = float("-inf")
        except LedgerError as error:
            self._failed(error)

    def _read(self, seconds: float) -> tuple[float, float]:
        """What is spent and what is reserved, as it was at most so many seconds ago."""
        now = time.monotonic()
        if now - self._looked > seconds:
            try:
                self._sums = self._ledger.used(self._term())
            except LedgerError as error:
                if self._must:
                    raise
                self._failed(error)
            self._looked = now
        return self._sums

    def _failed(self, error: LedgerError) -> None:
        if not self._fails:
            self._fails = True
            self._warn(f"what is spent is not written down: {error}")

    def _term(self) -> Term:
        return Term.of(self._per, self._payer.run, self._ledger.now())
