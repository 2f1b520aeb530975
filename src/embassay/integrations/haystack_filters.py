"""Filters of Haystack as ours."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import ClassVar

from embassay.arguments import shown
from embassay.errors import FilterError
from embassay.extras import needed
from embassay.integrations.base import all_of, any_of, field
from embassay.stores.filters.values import And, Compare, Exists, Filter, In, Not
from embassay.types import Scalar

with needed("the integration of Haystack", "haystack"):
    from haystack.errors import FilterError as HaystackFilterError

EXAMPLE = 'Example: {"field": "meta.year", "operator": ">=", "value": 2024}'
ORDERED = (">", ">=", "<", "<=")


class FilterNotRead(FilterError, HaystackFilterError):
    """A filter that cannot be read, as both sides know it."""

    code: ClassVar[str] = FilterError.code


def filter_of(given: Mapping[str, object] | None) -> Filter | None:
    """What passes a filter as Haystack writes it; None where there is none. Raises FilterNotRead."""
    if not given:
        return None
    if not isinstance(given, Mapping):
        raise FilterNotRead(f"the filters are {shown(given)}; they must be a mapping.", remedy=EXAMPLE)
    return _test(given) if "field" in given else _combined(given)


def _combined(given: Mapping[str, object]) -> Filter:
    operator, conditions = _part(given, "operator"), _part(given, "conditions")
    if operator not in ("AND", "OR", "NOT"):
        raise FilterNotRead(f"filters are combined by AND, OR or NOT, and not by {shown(operator)}.", remedy=EXAMPLE)
    if not isinstance(conditions, Sequence) or isinstance(conditions, str) or not conditions:
        raise FilterNotRead(f"the conditions are {shown(conditions)}; they must be a list of filters.", remedy=EXAMPLE)
    parts = [one for one in map(filter_of, conditions) if one is not None]
    found = any_of(parts) if operator == "OR" else all_of(parts)
    if found is None:
        raise FilterNotRead("the conditions say nothing.", remedy=EXAMPLE)
    return Not(found) if operator == "NOT" else found


def _test(given: Mapping[str, object]) -> Filter:
    """One comparison. What has no value differs from every value, and is neither above nor below one."""
    name, operator, value = _name(given["field"]), _part(given, "operator"), _part(given, "value")
    if operator in ("==", "!="):
        equal = Not(Exists(name)) if value is None else _equal(name, value)
        return equal if operator == "==" else Not(equal)
    if operator in ORDERED:
        return And(Exists(name), Not(Exists(name))) if value is None else Compare(name, operator, _ordered(value))
    if operator in ("in", "not in"):
        within = _within(name, value)
        return within if operator == "in" else Not(within)
    raise FilterNotRead(f"a filter has no operator {shown(operator)}.", remedy=EXAMPLE)


def _name(given: object) -> str:
    """A field of the metadata, with or without ``meta.`` before it; ``id`` is the document itself."""
    if not isinstance(given, str):
        raise FilterNotRead(f"the field is {shown(given)}; it must be a string.", remedy=EXAMPLE)
    if given == "id":
        return "document"
    if given in ("content", "blob", "embedding", "sparse_embedding", "score"):
        raise FilterNotRead(f"documents are not filtered by their {given}.", remedy="Filter by metadata.")
    return field(given.removeprefix("meta."))


def _part(given: Mapping[str, object], name: str) -> object:
    if name not in given:
        raise FilterNotRead(f"a filter has no {name!r}.", remedy=EXAMPLE)
    return given[name]


def _equal(name: str, value: object) -> Filter:
    if isinstance(value, Sequence) and not isinstance(value, str):
        found = all_of([Compare(name, "=", _scalar(one)) for one in value])
        if found is not None:
            return found
    return Compare(name, "=", _scalar(value))


def _within(name: str, value: object) -> Filter:
    if not isinstance(value, list):
        raise FilterNotRead(f"{name!r} is looked for in {shown(value)}; it must be a list.", remedy=EXAMPLE)
    if not value:
        return And(Exists(name), Not(Exists(name)))
    texts = [one for one in value if one is not None]
    parts: list[Filter] = [In(name, tuple(map(_scalar, texts)))] if texts else []
    found = any_of([*parts, *([Not(Exists(name))] if len(texts) < len(value) else [])])
    assert found is not None, "there is one at least"
    return found


def _ordered(value: object) -> Scalar:
    """A number or a moment: Haystack orders no other texts."""
    scalar = _scalar(value)
    if isinstance(scalar, str):
        try:
            datetime.datetime.fromisoformat(scalar)
        except ValueError:
            raise FilterNotRead(
                f"{shown(scalar)} is no number and no date, so that nothing is above or below it.", remedy=EXAMPLE
            ) from None
    return scalar


def _scalar(value: object) -> Scalar:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, (str, int, float)):
        return value
    raise FilterNotRead(f"a field is compared with {shown(value)}; it must be a text, a number or a date.")
