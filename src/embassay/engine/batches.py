"""Groups texts so that little is padded and every batch costs about the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOKEN_BUDGET = 1024
"""Padded tokens a batch: its activations then stay in the L2 cache of one core. Of 512, 1,024 and 2,048 the
fastest on 18-token texts, and no slower on 250."""


def plan(lengths: Sequence[int], budget: int = TOKEN_BUDGET) -> Iterator[tuple[int, list[int]]]:
    """(padded length, indices) of each batch, longest texts first.

    Every index appears once; only a batch of one may exceed the budget.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    at = 0
    while at < len(order):
        width = lengths[order[at]]
        size = max(1, budget // max(width, 1))
        yield width, order[at : at + size]
        at += size
