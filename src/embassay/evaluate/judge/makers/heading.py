"""A heading asks for the section below it. The heading itself is taken out of the section, and of the titles below."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.titles import proposals

BIAS = (0.0, 0.16)
"""Sections repeat the words of their headings, which favours a search by words."""
TWIN = "title"
"""Does the same for the other sort of documents, and comes with it."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Headings of manuals: of documents most of which have several."""
    if not passages.is_prose:
        yield from proposals(passages)
