"""Why nothing was found: a set without chunks, or a filter that asks for what none of them has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from embassay.stores.filters.bounds import operands
from embassay.stores.filters.fields import fields_of
from embassay.stores.filters.meaning import metadata_key
from embassay.stores.filters.values import COLUMNS, And, Exists, Filter, Not, Or
from embassay.stores.narrowed import NarrowedSnapshot
from embassay.text import nearest_name

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot

LOOKED_AT = 20_000
"""Chunks that are looked through for the fields that there are; in large sets that is some of them."""
NAMED = 3
"""Unknown fields that are told."""
SHOWN = 12
"""Fields that a sentence lists."""


def why_nothing(version: Snapshot, where: Filter | None, name: str) -> list[str]:
    """Sentences that say why nothing of the set `name` passes `where`, or why nothing is found in it at all.

    None where chunks pass, so that the reason lies elsewhere. This reads the set, and costs more than most searches: it
    is for whoever found nothing. Raises StoreError.
    """
    rows = version.count()
    if not rows:
        if isinstance(version, NarrowedSnapshot) and version.whole.count():
            return why_nothing(version.whole, version.where, name)  # a view that shows nothing
        return [f"The set {name!r} is empty."]
    if where is None or version.count(where):
        return []
    unknown = [field for field in dict.fromkeys(_fields(where)) if not version.count(Exists(field))]
    if not unknown:
        return [f"None of the {rows:,} chunks of the set {name!r} passes the filter."]
    known = fields_in(version)
    return [f"No chunk of the set {name!r} has the field {field!r}. {_hint(field, known)}" for field in unknown[:NAMED]]


def fields_in(version: Snapshot) -> list[str]:
    """The fields of metadata that a filter can name, the frequent ones first."""
    counts: dict[str, int] = {}
    seen = 0
    for chunks, _ in version.scan(()):
        for chunk in chunks[: LOOKED_AT - seen]:
            for field in fields_of(chunk.metadata):
                counts[field] = counts.get(field, 0) + 1
        seen += len(chunks)
        if seen >= LOOKED_AT:
            break
    return sorted(counts, key=lambda field: (-counts[field], field))


def _fields(expression: Filter) -> Iterator[str]:
    """The fields that are tested, in the order in which they are written."""
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, (And, Or)):
            stack.extend(reversed(operands(part)))
        elif isinstance(part, Not):
            stack.append(part.inner)
        else:
            yield part.field


def _hint(field: str, known: list[str]) -> str:
    if field == "id":
        return "The id of a document is the field 'document'."
    names = [*COLUMNS, *known]
    if close := nearest_name(metadata_key(field) or field, names, key=str.lower):
        return f"Did you mean {close!r}?"
    more = f", and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"There are: {', '.join(names[:SHOWN])}{more}."
