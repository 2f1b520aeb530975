"""A cap on what a run spends: texts are let through while their price is sure to stay below it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import CANARY_TEXTS
from embassay.embedders.alongside import Step, alongside, rebased
from embassay.embedders.base import Embedder
from embassay.embedders.texts.bill import Counted
from embassay.embedders.texts.blocks import PLAIN, is_blank
from embassay.embedders.wrap.budget import Budget, Order, Paid, is_money
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import BadReply, ConfigError, SpendCapReached
from embassay.space import Space
from embassay.types import Embeddings, Health, OnLong, Role

if TYPE_CHECKING:
    from embassay.types import Vectors

DOUBT = 10
"""What the first texts of a model are reserved at, as a multiple of their highest price: until its first bill is
seen, nobody knows by what it really counts."""
FIRST_TEXTS = 8
"""So many of them go alone, before all others."""


class Promises:
    """What one call has had promised of a budget. One thread may ask for more while another one gives back."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._usd = 0.0
        self._lock = threading.Lock()

    def promise(self, usd: float) -> bool:
        """Have `usd` kept for this call; whether there was so much."""
        if not self._budget.promise(usd):
            return False
        with self._lock:
            self._usd += usd
        return True

    def release(self, usd: float) -> None:
        """Give back what was promised for a part of the call."""
        with self._lock:
            self._usd -= usd
        self._budget.release(usd)

    def close(self) -> float:
        """Give back all that is left; how much that was."""
        with self._lock:
            usd, self._usd = max(0.0, self._usd), 0.0
        self._budget.release(usd)
        return usd


@dataclass(frozen=True, slots=True)
class _Priced:
    """A text, what was reserved for it, and the bounds of its price in USD."""

    text: str
    reserved: float
    least: float
    likely: float
    most: float


class Capped(Wrapper):
    """An embedder that asks a budget before each text.

    When the budget ends, what was let through is still delivered, and then SpendCapReached is raised: nothing that
    was paid for is lost, and the next run goes on behind it.
    """

    is_transparent = True

    def __init__(self, inner: Embedder, budget: Budget) -> None:
        super().__init__(inner)
        self._budget = budget
        self._factor: float | None = None
        """The highest bill there was, as a multiple of the highest price that was thought possible; at least 1."""

    @property
    def space(self) -> Space:
        """The space of the model. Where only a first vector tells it, that one is paid for below the cap as well."""
        if self.inner.unmeasured:
            list(self.stream([PLAIN], "document"))
        return self.inner.space

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """As far as the budget goes. Raises SpendCapReached, ConfigError where a price is not known."""
        if self.price == 0:
            yield from self.inner.stream(texts, role, on_long)
            return
        priced = self._priced(role)
        source, start = iter(texts), 0
        carried: list[str] = []
        while True:
            stretch = self._affordable(chain(carried, source), priced, role, on_long, carried)
            with rebased(start.__add__):
                passed = yield from stretch
            if not carried:
                return
            if not passed and not self._budget.wait():
                raise self._reached()
            start += passed

    def canaries(self, role: Role) -> Vectors:
        self._check_room_for_canaries(role)
        return self.inner.canaries(role)

    def witness(self, role: Role) -> str:
        self._check_room_for_canaries(role)
        return self.inner.witness(role)

    def health(self) -> Health:
        """The one word that it takes is paid for as well."""
        return Embedder.health(self)

    def _check_room_for_canaries(self, role: Role) -> None:
        """Raises SpendCapReached where the canaries might cost more than is left; they are billed with later texts."""
        if self.price and self.inner.carries_canaries and self._budget.remaining < self._canary_usd(role):
            raise self._reached()

    def _canary_usd(self, role: Role) -> float:
        """Most that all canaries may cost as texts of `role`."""
        if not self.inner.carries_canaries:
            return 0.0
        texts = [self.prompt(role) + text for text in CANARY_TEXTS]
        return Counted.of(texts, sum(self.tokens.count(texts))).most * (self.price or 0.0) / 1e6

    def _reached(self) -> SpendCapReached:
        return self._budget.reached(self.name)

    def _affordable(
        self,
        texts: Iterable[str],
        priced: Callable[[str], _Priced],
        role: Role,
        on_long: OnLong,
        carried: list[str],
    ) -> Generator[Embeddings, None, int]:
        """Texts while the budget lets them through, settled at their real price; how many that were.

        The text that it did not let through is left in `carried`: once all others are settled there may be room.
        """
        hold = Promises(self._budget)
        passed = 0
        room = FIRST_TEXTS if self._factor is None else None

        def reserved() -> Iterator[_Priced]:
            for place, text in enumerate(texts):
                one = self._reserve(hold, priced(text)) if place != room else None
                if one is None:
                    carried[:] = [text]
                    return
                yield one
            carried.clear()

        try:
            with closing(alongside(reserved(), lambda one: one.text, self.inner, role, on_long)) as steps:
                for step in steps:
                    assert step.made is not None, "every item has a text"
                    self._settle(hold, step, step.made)
                    passed += len(step.items)
                    yield step.made
        finally:
            left = hold.close()
            if left and not self.inner.pays:  # what of it was sent, nobody can tell
                self._budget.note(Order(self.name, role, left), Paid(left, lost=True))
        return passed

    def _reserve(self, hold: Promises, one: _Priced) -> _Priced | None:
        """The text with what is set aside for it; None where there is not so much."""
        usd = one.most * (self._factor or DOUBT)
        if self._factor is None and usd > (left := self._budget.remaining) >= one.most:
            usd = left  # all that is left is held for it
        return replace(one, reserved=usd) if hold.promise(usd) else None

    def _settle(self, hold: Promises, step: Step[_Priced], made: Embeddings) -> None:
        """End the promises for a part of the texts, and learn from what it cost.

        A model that does not pay for its requests by itself has them counted here: as billed, but never less than is
        possible.

        Raises BadReply for a bill that is no sum of money.
        """
        hold.release(sum(one.reserved for one in step.items))
        sent = [one for place, one in enumerate(step.items) if place not in made.refused and not is_blank(one.text)]
        most = sum(one.most for one in sent)
        usd = made.usage.usd
        if usd is not None and not is_money(usd):
            self._count(step, made, most)
            raise BadReply(f"{self.name}: it says that it billed {usd!r} USD, which is no sum of money.")
        if usd is not None and usd < sum(one.least for one in sent):
            usd = sum(one.likely for one in sent)
        if sent:
            canaries = made.usage.requests * self._canary_usd(made.role)
            possible = sum(one.most for one in step.items if not is_blank(one.text))  # a refusal may be billed as well
            self._factor = max(self._factor or 1.0, ((usd or 0.0) - canaries) / possible)
        self._count(step, made, most if usd is None else usd)

    def _count(self, step: Step[_Priced], made: Embeddings, usd: float) -> None:
        if not self.inner.pays and usd:
            tokens = sum(made.tokens)
            self._budget.note(Order(self.name, made.role, usd, len(step.items)), Paid(usd, tokens, made.usage.usd))

    def _priced(self, role: Role) -> Callable[[str], _Priced]:
        """What a text can be billed at. Raises ConfigError where no price is known.

        The prompt comes again with each part that a long text is split into.
        """
        price = self.price
        if price is None:
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy=remedy.setting("usd_per_million_tokens", say="Set {} of the model."),
            )
        tokens = self.tokens
        prompt = self.prompt(role)
        extra = Counted.of([prompt], tokens.count([prompt])[0] if prompt else 0).most
        rider = self._canary_usd(role) / len(CANARY_TEXTS)  # a request carries at least one text, and one canary

        def bounds(text: str) -> _Priced:
            count = tokens.count([text])[0]
            parts = 1 + 2 * count // max(1, tokens.safe_tokens - extra)
            all_of_it = Counted.of([text], count, frame=0)
            seen = Counted.of([text], min(count, tokens.max_tokens))  # the model may see no more of it
            usd = (seen.least, min(count, tokens.max_tokens), all_of_it.most + extra * parts)
            least, likely, most = (n * price / 1e6 for n in usd)
            return _Priced(text, 0.0, least, likely, most + rider)

        return bounds
