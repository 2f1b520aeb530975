"""The title of an article asks for the article, out of which it is taken."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.titles import proposals

BIAS = (-0.12, 0.0)
"""Models are trained on pairs of titles and texts, which favours vectors."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Titles of articles: of documents most of which have no other heading."""
    if passages.is_prose:
        yield from proposals(passages)
