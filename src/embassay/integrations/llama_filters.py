"""Filters of LlamaIndex as ours."""

from __future__ import annotations

from collections.abc import Sequence

from embassay.arguments import shown
from embassay.errors import FilterError
from embassay.extras import needed
from embassay.integrations.base import all_of, any_of, field
from embassay.stores.filters.values import Compare, Exists, Filter, Glob, In, Not
from embassay.types import Scalar

with needed("the integration of LlamaIndex", "llama-index"):
    from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

ORDERED = {
    FilterOperator.GT: ">",
    FilterOperator.GTE: ">=",
    FilterOperator.LT: "<",
    FilterOperator.LTE: "<=",
}


def filter_of(given: MetadataFilters | None) -> Filter | None:
    """What passes these filters; None where there are none. Raises FilterError for what ours cannot say."""
    if given is None or not given.filters:
        return None
    parts = [one for one in map(_part, given.filters) if one is not None]
    if given.condition is FilterCondition.OR:
        return any_of(parts)
    found = all_of(parts)
    return Not(found) if given.condition is FilterCondition.NOT and found is not None else found


def _part(one: MetadataFilter | MetadataFilters) -> Filter | None:
    return filter_of(one) if isinstance(one, MetadataFilters) else _test(one)


def _test(one: MetadataFilter) -> Filter:
    name, value, operator = field(one.key), one.value, one.operator
    if operator is FilterOperator.IS_EMPTY:
        return Not(Exists(name))
    if operator in (FilterOperator.EQ, FilterOperator.NE):
        equal = Not(Exists(name)) if value is None else Compare(name, "=", _scalar(one))
        return equal if operator is FilterOperator.EQ else Not(equal)
    if operator in ORDERED:
        return Compare(name, ORDERED[operator], _scalar(one))
    if operator is FilterOperator.CONTAINS:
        return Compare(name, "=", _scalar(one))
    if operator in (FilterOperator.IN, FilterOperator.ANY):
        return In(name, _scalars(one))
    if operator is FilterOperator.NIN:
        return Not(In(name, _scalars(one)))
    if operator is FilterOperator.ALL:
        found = all_of([Compare(name, "=", each) for each in _scalars(one)])
        assert found is not None, "there is one at least"
        return found
    if operator is FilterOperator.TEXT_MATCH and isinstance(value, str) and not set(value) & set("*?"):
        return Glob(name, f"**{value}**")
    raise FilterError(
        f"the filter on {one.key!r} by {operator.value!r} with {shown(value)} cannot be said.",
        remedy="Search for words in texts, and filter by whole values.",
    )


def _scalar(one: MetadataFilter) -> Scalar:
    if isinstance(one.value, (str, int, float)):
        return one.value
    raise FilterError(f"{one.key!r} is compared with {shown(one.value)}; it must be a text or a number.")


def _scalars(one: MetadataFilter) -> tuple[Scalar, ...]:
    if isinstance(one.value, Sequence) and not isinstance(one.value, str) and one.value:
        return tuple(one.value)
    raise FilterError(f"{one.key!r} is looked for in {shown(one.value)}; it must be a list of values.")
