"""A search as the log writes it: encoded where it is made, since most of what logging costs is making objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from embassay import jsontext
from embassay.sets.monitoring.marks import Mark, mark_of

if TYPE_CHECKING:
    from embassay.events import Searched
    from embassay.sets.log.entry import Form
    from embassay.types import Hit, Vectors

MOST_HITS = 100
"""Of one search that are logged."""
MOST_CHARACTERS = 2_000
"""Of a query that are kept."""


@dataclass(frozen=True, slots=True)
class NewSearch:
    """One that is to be written."""

    id: str
    asked: float
    """Seconds since 1970."""
    sets: Sequence[str]
    space: str
    pipeline: str
    form: Form
    query: str
    """The text, or its head; it is hashed where it is written."""
    took_ms: float
    hits: str
    """As `embassay.sets.log.entry.LoggedHit.from_row` reads each of them."""
    mark: Mark
    vector: Vectors | None
    """Of a query whose text is kept whole: a vector tells nearly as much."""


def new_search(asked: float, event: Searched, *, hashed: bool) -> NewSearch:
    """What is written of a search that was told."""
    hits, query = event.hits[:MOST_HITS], event.query
    form: Form = "hashed" if hashed else "kept" if len(query) <= MOST_CHARACTERS else "cut"
    return NewSearch(
        event.id,
        asked,
        event.sets or (event.set,),
        event.space,
        event.pipeline,
        form,
        query[:MOST_CHARACTERS] if form == "cut" else query,
        event.took_ms,
        encoded(hits),
        mark_of(hits, event.terms),
        event.vector if form == "kept" else None,
    )


def encoded(hits: Sequence[Hit]) -> str:
    """Hits as JSON, each a list, because names of fields would be most of it."""
    rows = [_row(hit) for hit in hits]
    try:
        return _encoder().encode(rows).decode()
    except UnicodeEncodeError:  # half a character in the name of a file
        return jsontext.dumps(rows, ascii_only=True)


def _row(hit: Hit) -> list[object]:
    chunk = hit.chunk
    arms = {label: (arm.rank, arm.score) for label, arm in hit.arms.items()}
    return [hit.rank, hit.set, chunk.document, chunk.key, *chunk.lines, hit.score, arms]


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder()
