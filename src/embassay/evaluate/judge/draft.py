"""A judged set in the making: its queries, its corpus, and what is there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypedDict

from embassay.evaluate.judge.passages import Passage
from embassay.types import Value

MOST_LETTERS, MOST_VALUES = 100, 20
"""Of a value of a document's metadata that is kept with each of its passages."""


class DraftRecord(TypedDict):
    """A passage as a line of ``corpus.jsonl``."""

    _id: str
    title: str
    text: str
    metadata: dict[str, Value]
    """What is known of the document, as far as it is short; ``digest`` says what stood in the passage before anything
    was taken out of it."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a judged set that is being made."""

    text: str
    relevant: Mapping[str, int]
    """Passage id to grade."""
    source: str
    """How the query was made."""
    retracted: frozenset[str] = frozenset()
    """Passages whose judgment is taken back."""
    kind: str = ""
    """What it reads like, where that is known: ``how-to``, ``symptom``, ``keyword``, ..."""

    @property
    def id(self) -> str:
        """Derived from the text, see `query_id`."""
        return query_id(self.text)


@dataclass(slots=True)
class JudgedDraft:
    """A judged set before it is written."""

    corpus: list[DraftRecord]
    queries: list[Query] = field(default_factory=list)
    proposed: Counter[str] = field(default_factory=Counter)
    """Source to how many queries there were to choose from."""

    @property
    def counts(self) -> Counter[str]:
        """Source to how many of the queries come from it."""
        return Counter(query.source for query in self.queries)


@dataclass(frozen=True, slots=True)
class Existing:
    """A judged set that is there already, to be added to."""

    rows: Mapping[str, Mapping[str, object]]
    """Passage id to its record."""
    queries: frozenset[str]
    """Ids of its queries, as `query_id` makes them."""


NOTHING = Existing({}, frozenset())


def query_id(text: str) -> str:
    """An id that is equal for equal queries, so that asking for one again adds nothing."""
    return "q" + blake2b(" ".join(text.lower().split()).encode("utf-8", "replace"), digest_size=6).hexdigest()


def record(passage: Passage, title: str, text: str) -> DraftRecord:
    """A passage as it is written, with the digest of what stood there before anything was taken out."""
    return {"_id": passage.id, "title": title, "text": text, "metadata": _known(passage) | {"digest": passage.digest}}


def _known(passage: Passage) -> dict[str, Value]:
    """Fields that queries could be sliced by: short texts, numbers, and lists of them."""
    return {name: value for name, value in passage.document.metadata.items() if _is_short(value)}


def _is_short(value: Value) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_VALUES and all(_is_short(one) and not isinstance(one, list) for one in value)
    return isinstance(value, (int, float)) or (isinstance(value, str) and len(value) <= MOST_LETTERS)


def digest_of(row: Mapping[str, object]) -> object:
    """The digest that a record was written with; None for a record of somebody else."""
    metadata = row.get("metadata")
    return metadata.get("digest") if isinstance(metadata, dict) else None
