"""A cap on what a run spends: texts are let through while their price is sure to stay below it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain

from embassay import remedy
from embassay.embedders.alongside import alongside, rebased
from embassay.embedders.base import Embedder
from embassay.embedders.texts.estimate import ERROR
from embassay.embedders.wrap.budget import Budget, Hold
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ConfigError, SpendCapReached
from embassay.types import Embeddings, OnLong, Role

SPECIAL_TOKENS = 4
"""Reserved for each text besides its own and the prompt's."""

_Priced = tuple[str, float]
"""A text and the USD that were reserved for it."""


class Capped(Wrapper):
    """An embedder that asks a budget before each text.

    When the budget ends, what was let through is still delivered, and then SpendCapReached is raised: nothing that
    was paid for is lost, and the next run goes on behind it.
    """

    def __init__(self, inner: Embedder, budget: Budget) -> None:
        super().__init__(inner)
        self._budget = budget

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """As far as the budget goes. Raises SpendCapReached, ConfigError where a price is not known."""
        if self.price == 0:
            yield from self.inner.stream(texts, role, on_long)
            return
        most_usd = self._most_usd(role)
        source, start = iter(texts), 0
        carried: list[str] = []
        while True:
            stretch = self._affordable(chain(carried, source), most_usd, role, on_long, carried)
            with rebased(start.__add__):
                passed = yield from stretch
            if not carried:
                return
            if not passed:
                raise SpendCapReached(
                    f"{self.name}: the spend cap of ${self._budget.usd:g} is reached "
                    f"(${self._budget.spent:.4f} spent).",
                    remedy=remedy.setting(
                        "spend_cap_usd", say="Raise {} and run it again: it goes on where it stopped."
                    ),
                )
            start += passed

    def _affordable(
        self,
        texts: Iterable[str],
        most_usd: Callable[[str], float],
        role: Role,
        on_long: OnLong,
        carried: list[str],
    ) -> Generator[Embeddings, None, int]:
        """Texts while the budget lets them through, settled at their real price; how many that were.

        The text that it did not let through is left in `carried`: once all others are settled there may be room.
        """
        hold = Hold(self._budget)
        passed = 0

        def priced() -> Iterator[_Priced]:
            for text in texts:
                usd = most_usd(text)
                if not hold.reserve(usd):
                    carried[:] = [text]
                    return
                yield text, usd
            carried.clear()

        try:
            with closing(alongside(priced(), lambda one: one[0], self.inner, role, on_long)) as steps:
                for step in steps:
                    assert step.made is not None, "every item has a text"
                    hold.settle(sum(usd for _, usd in step.items), step.made.usage.usd)
                    passed += len(step.items)
                    yield step.made
        finally:
            hold.close()
        return passed

    def _most_usd(self, role: Role) -> Callable[[str], float]:
        """More USD than a text can be billed for. Raises ConfigError where no price is known.

        The prompt comes again with each part that a long text is split into, and scripts for which the estimate of
        tokens is too low have several bytes a character.
        """
        price = self.price
        if price is None:
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy=remedy.setting("usd_per_million_tokens", say="Set {} of the model."),
            )
        tokens = self.tokens
        extra = tokens.count([getattr(self.space, f"{role}_prompt")])[0] + SPECIAL_TOKENS

        def most(text: str) -> float:
            count = tokens.count([text])[0]
            parts = 1 + count // max(1, tokens.safe_tokens - extra)
            foreign = len(text.encode("utf-8", "replace")) - len(text)
            return (count * (1 + ERROR) + foreign / 2 + extra * parts * 2) * price / 1e6

        return most
