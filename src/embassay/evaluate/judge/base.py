"""The contract of a source of queries: one file in `makers/`, whose name is the source's name.

    def propose(passages: Passages) -> Iterator[Proposal]: ...

It may have ``BIAS = (-0.05, 0.10)``, which says how far its queries are off, from the least to the most, when a search
by words is added to one by vectors: the gain in nDCG@10 on them less the gain on questions of people, as
`python -m benchmarks.made_queries` measures it. With ``LAST = True`` its queries are taken where others leave the
number open, and ``TWIN`` names the maker that does the same for the other sort of documents, manuals or articles.

A query of such a source is written by somebody who knows the answer, so that these sets are easier than people's
questions: every query says how it was made, and what it was taken from is taken out of its passage. Other packages
join through the entry-point group ``embassay.makers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from embassay.evaluate.judge.passages import Passages


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query and what answers it."""

    query: str
    relevant: tuple[str, ...]
    """Ids of the passages that answer the query."""
    document: str
    """Id of the document that the query was taken from: a sample is spread over documents."""
    hides: tuple[tuple[str, str], ...] = ()
    """(passage id, text) to be taken out: the passage must not answer by repeating the query."""
    kind: str = ""
    """What it reads like: ``how-to``, ``concept``, ``keyword`` or ``statement``."""
    said: str = ""
    """What the document says, where a rule made a question of it: titles that say the same are taken out."""


class QueryMaker(Protocol):
    """A module of `makers/`."""

    def propose(self, passages: Passages) -> Iterator[Proposal]:
        """Every query that the documents have for it, in any order."""
        ...
