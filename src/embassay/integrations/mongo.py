"""Filters as mappings, in the form that MongoDB has made usual: ``{"lang": "en", "year": {"$gte": 2024}}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embassay.arguments import shown
from embassay.errors import FilterError
from embassay.integrations.base import all_of, any_of, field
from embassay.stores.filters.parser import read_filter
from embassay.stores.filters.values import Compare, Exists, Filter, Glob, In, Not
from embassay.text import did_you_mean
from embassay.types import Scalar

EXAMPLE = 'Example: {"lang": "en", "year": {"$gte": 2024}}'


def filter_of(given: object) -> Filter | None:
    """A filter as a mapping, in words, as a value, or none at all. Raises FilterError."""
    if isinstance(given, Mapping):
        return all_of(list(_parts(given)))
    return read_filter(given)


def _parts(given: Mapping[object, object]) -> list[Filter]:
    return [_part(str(key), value) for key, value in given.items()]


def _part(key: str, value: object) -> Filter:
    """One entry: a combination, or a field with what it must be."""
    if key in ("$and", "$or"):
        return _combined(key, value)
    if key == "$not":
        inner = filter_of(value)
        if not isinstance(value, Mapping) or inner is None:
            raise FilterError(f"$not is {shown(value)}; it must be a filter.", remedy=EXAMPLE)
        return Not(inner)
    if key.startswith("$"):
        raise _unknown(key, ("$and", "$or", "$not"))
    if isinstance(value, Mapping):
        tests = [_tested(key, str(operator), operand) for operator, operand in value.items()]
        found = all_of(tests)
        if found is None:
            raise FilterError(f"the filter says nothing of {key!r}.", remedy=EXAMPLE)
        return found
    return _equal(key, value)


def _combined(key: str, value: object) -> Filter:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
        raise FilterError(f"{key} is {shown(value)}; it must be a list of filters.", remedy=EXAMPLE)
    inner = [one for one in map(filter_of, value) if one is not None]
    if len(inner) < len(value):
        raise FilterError(f"{key} has a filter that says nothing.", remedy=EXAMPLE)
    found = all_of(inner) if key == "$and" else any_of(inner)
    assert found is not None, "there is one at least"
    return found


def _tested(key: str, operator: str, operand: object) -> Filter:
    if operator not in _TESTS:
        raise _unknown(operator, [*_TESTS])
    return _TESTS[operator](key, operand)


def _unknown(operator: str, known: Sequence[str]) -> FilterError:
    near = did_you_mean(operator, known) or f"There are: {', '.join(known)}."
    return FilterError(f"a filter has no {operator[:100]!r}.", remedy=near)


def _equal(key: str, value: object) -> Filter:
    """None is what has no value."""
    return Not(Exists(field(key))) if value is None else Compare(field(key), "=", _scalar(key, value))


def _scalar(key: str, value: object) -> Scalar:
    if isinstance(value, (str, int, float)):
        return value
    raise FilterError(f"{key!r} is compared with {shown(value)}; it must be a text, a number or a truth value.")


def _scalars(key: str, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
        raise FilterError(f"{key!r} is looked for in {shown(value)}; it must be a list of values.", remedy=EXAMPLE)
    return tuple(_scalar(key, one) for one in value)


def _ordered(sign: str) -> Callable[[str, object], Filter]:
    return lambda key, value: Compare(field(key), sign, _scalar(key, value))


_TESTS: Mapping[str, Callable[[str, object], Filter]] = {
    "$eq": _equal,
    "$ne": lambda key, value: Not(_equal(key, value)),
    "$lt": _ordered("<"),
    "$lte": _ordered("<="),
    "$gt": _ordered(">"),
    "$gte": _ordered(">="),
    "$in": lambda key, value: In(field(key), _scalars(key, value)),
    "$nin": lambda key, value: Not(In(field(key), _scalars(key, value))),
    "$exists": lambda key, value: Exists(field(key)) if value else Not(Exists(field(key))),
    "$like": lambda key, value: Glob(field(key), str(_scalar(key, value))),
}
"""What each operator makes of a field and what it is compared with."""
