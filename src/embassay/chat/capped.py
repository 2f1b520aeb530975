"""A chat model below the run's spend cap: a message is sent while its price is sure to stay below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import remedy
from embassay.chat.client import CHAT_PATH, Chat, ChatAnswer, ChatSettings
from embassay.embedders.texts.bill import BillCheck, Counted
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.wrap.budget import Order, Paid, is_money
from embassay.errors import ConfigError, ProviderError

if TYPE_CHECKING:
    from embassay.embedders.http.faults import FailedAttempt
    from embassay.embedders.wrap.budget import Budget

FRAME_TOKENS = 256
"""Most that a service puts around a message: some begin with instructions of their own."""
WAYS = ("tokens in", "tokens out")


class CappedChat(Chat):
    """A chat model that asks a budget before each message. Threads may share it."""

    def __init__(self, settings: ChatSettings, budget: Budget | None, prices: tuple[float, float] | None) -> None:
        """`prices`: USD per million tokens in and out. Raises ConfigError where a cap is set and no price is known."""
        super().__init__(settings)
        if prices and not all(map(is_money, prices)):
            raise ConfigError(f"the prices {prices} of {self.name} are no sums of money.")
        free = not self.needs_key()
        if budget and budget.is_capped and prices is None and not free:
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy=remedy.option("llm_price", "IN,OUT", say="Say what a million tokens cost"),
            )
        self._budget = budget if prices else None
        self._prices = prices or (0.0, 0.0)
        self._most_out = settings.max_reply_tokens
        bills = [
            BillCheck(f"{self.name}, {way}", price, settings.usage)
            for way, price in zip(WAYS, self._prices, strict=True)
        ]
        self._bill_in, self._bill_out = bills

    def say(self, message: str) -> ChatAnswer:
        """The answer to one message. Raises ProviderError, and SpendCapReached before anything is sent.

        What is under way is reserved at its highest price. An answer that does not say what it took has taken that, and
        so has one that never came whole; a refusal takes nothing. Raises BillingMismatch where earlier answers said
        what cannot be.
        """
        budget = self._budget
        if budget is None:
            return super().say(message)
        for bill in (self._bill_in, self._bill_out):
            bill.check()
        counted = Counted.of([message], EstimatedTokens(1 << 20).count([message])[0], frame=FRAME_TOKENS)
        order = Order(self.name, "chat", self._usd(counted.most, self._most_out))
        self._connection.check_key(CHAT_PATH)
        charges = [budget.charge(order)]
        last: FailedAttempt | None = None

        def failed(attempt: FailedAttempt, goes_on: bool) -> None:
            nonlocal last
            last = attempt
            if goes_on and attempt.unanswered:  # it may be billed all the same
                charges[-1].lose()
                charges.append(budget.charge(order))

        try:
            answer = self._answered(message, failed)
            charges[-1].settle(self._paid(answer, counted))
            return answer
        except ProviderError as error:
            if last and not last.unanswered and isinstance(error, type(last.error)):  # it was refused, or never sent
                charges[-1].settle(Paid(0.0))
            raise
        finally:
            charges[-1].lose()

    def _paid(self, answer: ChatAnswer, counted: Counted) -> Paid:
        """What an answer cost: as it says where that is possible, otherwise as it is counted here."""
        said_in, said_out = answer.billed
        heard = Counted.of([answer.whole], EstimatedTokens(1 << 20).count([answer.whole])[0], most=self._most_out)
        into, out = self._bill_in.settle(said_in, counted), self._bill_out.settle(said_out, heard)
        said = None if into.tokens is None or out.tokens is None else self._usd(into.tokens, out.tokens)
        return Paid(self._usd(into.counts, out.counts), into.counts + out.counts, said)

    def _usd(self, tokens_in: float, tokens_out: float) -> float:
        return (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
