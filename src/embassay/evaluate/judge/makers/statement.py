"""A sentence of a manual asks for the passage that it was taken out of. People ask manuals otherwise: it comes last."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.sentences import proposals

BIAS = (0.0, 0.14)
"""It has the names that its passage goes on about, which favours a search by words."""
LAST = True
"""Its queries are taken where the other sources leave the number open."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """The most telling sentence of each passage of manuals."""
    if not passages.is_prose:
        yield from proposals(passages)
