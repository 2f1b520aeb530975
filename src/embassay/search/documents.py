"""What several chunks have in common, and how one candidate comes to stand for others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.search.base import Candidates
    from embassay.search.context import Context
    from embassay.stores.values import Scored

FIELDS = ("document", "path")
"""What chunks can be put together by: a document is a file or one record of it, a path is a whole file."""
DOCUMENT = FIELDS[0]
SECTION = "section"
"""A part of a document: what stands under the same headings."""


def check_field(by: str, what: str) -> None:
    """Raises UsageError where chunks cannot be put together by `by`; `what` says what was to be done with hits."""
    if by not in FIELDS:
        raise UsageError(f"hits cannot be {what} by {by!r}.", remedy=did_you_mean(by, FIELDS))


def documents(context: Context, ranking: Sequence[Scored], by: str) -> list[tuple[str, str]]:
    """The set and the document, path, or section of a document of each candidate. Raises StoreError."""
    chunks = context.chunks([candidate.ref for candidate in ranking])
    named = (lambda chunk: f"{chunk.document}\n{chunk.section}") if by == SECTION else attrgetter(by)
    return [(context.set_of(one.ref), named(chunks[one.ref])) for one in ranking]


def folded(candidates: Candidates, heads: Mapping[Hashable, Hashable]) -> Candidates:
    """The candidates without those that stand behind another one: `heads` has for these whom they stand behind.

    Who stood behind one that is folded goes with it. Those behind one candidate are sorted by their scores.
    """
    behind: dict[Hashable, list[Scored]] = {}
    for one in candidates.ranking:
        head = heads.get(one.ref, one.ref)
        own = [] if head == one.ref else [one]
        behind.setdefault(head, []).extend([*own, *candidates.behind.get(one.ref, ())])
    ordered = {ref: sorted(others, key=lambda one: -one.score) for ref, others in behind.items()}
    return replace(candidates, ranking=[one for one in candidates.ranking if one.ref not in heads], behind=ordered)
