"""USD that the models of a run share."""

from __future__ import annotations

import threading

from embassay import remedy
from embassay.errors import UsageError


class Budget:
    """What is under way is reserved at its highest price, then settled at the real one. Threads may share it."""

    def __init__(self, usd: float) -> None:
        """`usd`: most that may be spent. Raises UsageError for what is no sum of money."""
        if not is_money(usd):
            raise UsageError(
                f"a spend cap of {usd!r} USD is no sum of money.", remedy=remedy.setting("spend_cap_usd", "5")
            )
        self.usd = float(usd)
        self.spent = 0.0
        self._reserved = 0.0
        self._lock = threading.Lock()

    @property
    def remaining(self) -> float:
        """USD that are neither spent nor reserved: what may be promised to somebody else, a process for one."""
        with self._lock:
            return max(0.0, self.usd - self.spent - self._reserved)

    def reserve(self, usd: float) -> bool:
        """Set `usd` aside; whether there was so much. Nothing is set aside of what is no sum of money."""
        if not is_money(usd):
            return False
        with self._lock:
            if self.spent + self._reserved + usd > self.usd:
                return False
            self._reserved += usd
            return True

    def settle(self, reserved: float, usd: float | None) -> None:
        """Count `usd` as spent in place of what was reserved for it.

        `usd` None, or no sum of money: nobody said, so what was reserved counts. ``settle(0, usd)`` counts what
        somebody else spent, for one a process that was started with what remained.
        """
        with self._lock:
            self._reserved -= reserved
            self.spent += usd if usd is not None and is_money(usd) else reserved


class Hold:
    """What one call has reserved of a budget. One thread may reserve while another one settles."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0.0
        self._lock = threading.Lock()

    def reserve(self, usd: float) -> bool:
        """Set `usd` aside for this call; whether there was so much. See `Budget.reserve`."""
        if not self._budget.reserve(usd):
            return False
        with self._lock:
            self._held += usd
        return True

    def settle(self, reserved: float, usd: float | None) -> None:
        """Count what a part of the call really cost, in place of what was reserved for it. See `Budget.settle`."""
        with self._lock:
            self._held -= reserved
        self._budget.settle(reserved, usd)

    def close(self) -> None:
        """Count all that is still reserved as spent: whether it was sent, nobody can tell."""
        with self._lock:
            held, self._held = self._held, 0.0
        self._budget.settle(held, None)


def is_money(usd: object) -> bool:
    """Whether `usd` is a finite number that is not negative."""
    return isinstance(usd, (int, float)) and not isinstance(usd, bool) and 0 <= usd < float("inf")
