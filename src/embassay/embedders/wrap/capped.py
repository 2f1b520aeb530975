"""A cap on what a run spends: texts are let through while their price is sure to stay below it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain

from embassay.embedders.base import Embedder
from embassay.embedders.estimate import ERROR
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ConfigError, SpendCapReached, TextTooLong
from embassay.types import Embeddings, OnLong, Role


class Budget:
    """USD that models share. What is under way is reserved at its highest price, then settled at the real one."""

    def __init__(self, usd: float) -> None:
        self.usd = usd
        self.spent = 0.0
        self._reserved = 0.0
        self._lock = threading.Lock()

    def reserve(self, usd: float) -> bool:
        with self._lock:
            if self.spent + self._reserved + usd > self.usd:
                return False
            self._reserved += usd
            return True

    def settle(self, reserved: float, usd: float | None) -> None:
        """`usd` None: nobody said, so what was reserved counts as spent."""
        with self._lock:
            self._reserved -= reserved
            self.spent += reserved if usd is None else usd


class Capped(Wrapper):
    """An embedder that asks a budget before each text.

    When the budget ends, what was let through is still delivered, and then SpendCapReached is raised: nothing that
    was paid for is lost, and the next run goes on behind it.
    """

    def __init__(self, inner: Embedder, budget: Budget) -> None:
        super().__init__(inner)
        self._budget = budget

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        price = self.price
        if price == 0:
            yield from self.inner.stream(texts, role, on_long)
            return
        if price is None:
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy="Set usd_per_million_tokens of the model.",
            )
        source, start = iter(texts), 0
        extra = self.tokens.count([getattr(self.space, f"{role}_prompt")])[0] + SPECIAL_TOKENS
        carried: list[str] = []
        while True:
            passed = yield from self._run(chain(carried, source), role, on_long, price, extra, carried, start)
            if not carried:
                return
            if not passed:
                raise SpendCapReached(
                    f"{self.name}: the spend cap of ${self._budget.usd:g} is reached "
                    f"(${self._budget.spent:.4f} spent).",
                    remedy="Raise spend_cap_usd and run it again: it goes on where it stopped.",
                )
            start += passed

    def _run(
        self,
        texts: Iterable[str],
        role: Role,
        on_long: OnLong,
        price: float,
        extra: int,
        carried: list[str],
        start: int,
    ) -> Generator[Embeddings, None, int]:
        """Texts while the budget lets them through, settled at their real price; how many that were.

        The text that it did not let through is left in `carried`: once all others are settled there may be room.
        """
        reserved: deque[float] = deque()
        passed = 0

        def affordable() -> Iterator[str]:
            nonlocal passed
            for text in texts:
                usd = self._most_tokens(text, extra) * price / 1e6
                if not self._budget.reserve(usd):
                    carried[:] = [text]
                    return
                reserved.append(usd)
                passed += 1
                yield text
            carried.clear()

        try:
            with closing(self.inner.stream(affordable(), role, on_long)) as blocks:  # type: ignore[type-var]
                for block in blocks:
                    held = sum(reserved.popleft() for _ in range(len(block)))
                    self._budget.settle(held, block.usage.usd)
                    yield block
        except TextTooLong as error:
            raise TextTooLong(start + error.position, error.tokens, error.limit) from error
        finally:
            while reserved:  # sent or not, nobody can tell: it counts
                self._budget.settle(reserved.popleft(), None)
        return passed

    def _most_tokens(self, text: str, extra: int) -> float:
        """More than a text can be billed for: the prompt comes again with each part that a long text is split into,
        and scripts for which the estimate is too low have several bytes a character.
        """
        count = self.tokens.count([text])[0]
        parts = 1 + count // max(1, self.tokens.safe_tokens - extra)
        foreign = len(text.encode("utf-8", "replace")) - len(text)
        return count * (1 + ERROR) + foreign / 2 + extra * parts * 2


SPECIAL_TOKENS = 4
"""Reserved for each text besides its own and the prompt's."""
