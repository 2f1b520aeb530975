"""A sentence asks for the article that it was taken out of (the inverse cloze task: Lee, Chang and Toutanova, 2019)."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.sentences import proposals

BIAS = (-0.20, 0.0)
"""What is left of the passage shares few words with it: people who ask share more."""
TWIN = "statement"
"""Does the same for the other sort of documents, and comes with it."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """The most telling sentence of each passage of articles."""
    if passages.is_prose:
        yield from proposals(passages)
