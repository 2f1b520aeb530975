"""Groups texts so that little is padded and every batch costs about the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOKEN_BUDGET = 1024
"""Padded tokens a batch: its activations then stay in the L2 cache of one core."""
LENGTH_STEP = 4
"""Lengths are rounded up to this, so that few distinct shapes have to be prepared."""


def plan(lengths: Sequence[int], budget: int = TOKEN_BUDGET) -> Iterator[tuple[int, list[int]]]:
    """(padded length, indices) of each batch, longest texts first.

    Every index appears once; only a batch of one may exceed the budget.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    at = 0
    while at < len(order):
        width = -(-lengths[order[at]] // LENGTH_STEP) * LENGTH_STEP
        size = max(1, budget // width)
        yield width, order[at : at + size]
        at += size
