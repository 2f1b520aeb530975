"""Groups texts so that little is padded, every batch costs about the same, and old texts are not kept waiting."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator, Sequence

TOKEN_BUDGET = 1024
"""Padded tokens a batch: its activations then stay in the L2 cache of one core. Of 512, 1,024 and 2,048 the
fastest on 18-token texts, and no slower on 250."""
FEW = 8
"""Batches a core: of more than that the last ones are a small part."""
SPREAD, LEAST_FILL = 0.05, 0.3
"""A batch that is filled to this share of the budget takes no text whose length is further from that of its first one,
as a share of it. With 18,000 tokens to choose from, 1.6 % of what is computed is then padding for dictionary entries
and 1.1 % for prose; batches that are always filled have 3.9 and 2.2 %."""


def even_budget(lengths: Sequence[int], cores: int, budget: int = TOKEN_BUDGET) -> int:
    """A budget of at most `budget` by which the batches of so many texts keep all cores busy until the end.

    50 texts of 138 tokens would make seven batches of 7 and one of a single text, of which one core computes four: 28
    texts, while ten batches of 5 are done when each core has computed 25.
    """
    mean = sum(lengths) / max(1, len(lengths))
    most = max(1, int(budget / max(1.0, mean)))
    if most >= len(lengths) or len(lengths) > FEW * most * cores:
        return budget
    texts = min(range(most, most // 2, -1), key=lambda size: _longest_turn(len(lengths), size, cores))
    return min(budget, max(math.ceil(texts * mean), *lengths))


def _longest_turn(count: int, size: int, cores: int) -> int:
    """How many of `count` texts the busiest core computes, in batches of `size`."""
    batches = math.ceil(count / size)
    before, last = (batches - 1) // cores, count - (batches - 1) * size
    return before * size + (last if (batches - 1) % cores == 0 else size)


class Batches:
    """Texts that wait to be computed. Each is known by its number, which grows with every one that is added.

    A batch is led by the text that has waited longest, and filled with those that are nearest to it in length. So texts
    are finished nearly in the order in which they came: what is computed ahead of the oldest one that is not comes to
    about as many tokens as wait here at a time.
    """

    def __init__(self, budget: int = TOKEN_BUDGET) -> None:
        self._budget = budget
        self._by_age: OrderedDict[int, int] = OrderedDict()
        """Number to length."""
        self._by_length: list[tuple[int, int]] = []
        self.tokens = 0
        """Of all texts that wait."""

    def __len__(self) -> int:
        return len(self._by_age)

    def add(self, number: int, length: int) -> None:
        """One more text, of `length` tokens; `number` is larger than all before it."""
        self._by_age[number] = length
        insort(self._by_length, (length, -number))
        self.tokens += length

    def take(self) -> tuple[int, list[int]]:
        """(padded length, numbers) of the next batch, which wait no more; there must be a text.

        Only a batch of one may exceed the budget.
        """
        number, length = next(iter(self._by_age.items()))
        first, last = self._range(bisect_left(self._by_length, (length, -number)), length)
        taken = self._by_length[first : last + 1]
        del self._by_length[first : last + 1]
        numbers = [-negative for _, negative in taken]
        self.tokens -= sum(self._by_age.pop(one) for one in numbers)
        return taken[-1][0], numbers

    def _range(self, at: int, length: int) -> tuple[int, int]:
        """The first and the last place of the batch around `at`, where a text of `length` stands that leads it."""
        first = last = at
        while True:
            for distance, low, high in self._wider(first, last, length):
                filled = (high - low + 1) * max(1, self._by_length[high][0])
                near = distance <= SPREAD * length or filled <= LEAST_FILL * self._budget
                if near and filled <= self._budget:
                    first, last = low, high
                    break
            else:
                return first, last

    def _wider(self, first: int, last: int, length: int) -> Iterator[tuple[int, int, int]]:
        """The range with one more text at either end, the nearer one first, each behind its distance in length."""
        below = length - self._by_length[first - 1][0] if first else None
        above = self._by_length[last + 1][0] - length if last + 1 < len(self._by_length) else None
        if below is not None and (above is None or below <= above):
            yield below, first - 1, last
            if above is not None:
                yield above, first, last + 1
        elif above is not None:
            yield above, first, last + 1
            if below is not None:
                yield below, first - 1, last
