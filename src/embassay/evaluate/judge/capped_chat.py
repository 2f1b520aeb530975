"""A chat model below the run's spend cap: a message is sent while its price is sure to stay below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import remedy
from embassay.embedders.texts.estimate import ERROR, EstimatedTokens
from embassay.errors import ConfigError, SpendCapReached
from embassay.evaluate.judge.chat import Chat, ChatAnswer, ChatSettings

if TYPE_CHECKING:
    from embassay.embedders.wrap.budget import Budget

FRAME_TOKENS = 16
"""Reserved for what a service puts around a message."""


class CappedChat(Chat):
    """A chat model that asks a budget before each message. Threads may share it."""

    def __init__(self, settings: ChatSettings, budget: Budget | None, prices: tuple[float, float] | None) -> None:
        """`prices`: USD per million tokens in and out. Raises ConfigError where a cap is set and no price is known."""
        super().__init__(settings)
        free = not self.needs_key()
        if budget and prices is None and not free:
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy=remedy.option("llm_price", "IN,OUT", say="Say what a million tokens cost"),
            )
        self._budget = budget if prices else None
        self._prices = prices or (0.0, 0.0)
        self._most_out = settings.max_reply_tokens

    def say(self, message: str) -> ChatAnswer:
        """The answer to one message. Raises ProviderError, and SpendCapReached before anything is sent.

        What is under way is reserved at its highest price; an answer that does not say what it took has taken that.
        """
        if self._budget is None:
            return super().say(message)
        most = self._usd(EstimatedTokens(1 << 20).count([message])[0] * (1 + ERROR) + FRAME_TOKENS, self._most_out)
        if not self._budget.reserve(most):
            raise SpendCapReached(
                f"{self.name}: the spend cap of ${self._budget.usd:g} is reached (${self._budget.spent:.4f} spent).",
                remedy=remedy.setting("spend_cap_usd", say="Raise {} and run it again: it goes on where it stopped."),
            )
        spent: float | None = None
        try:
            said = super().say(message)
            if said.tokens_in is not None and said.tokens_out is not None:
                spent = self._usd(said.tokens_in, said.tokens_out)
            return said
        finally:
            self._budget.settle(most, spent)

    def _usd(self, tokens_in: float, tokens_out: float) -> float:
        return (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
