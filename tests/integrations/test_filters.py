"""Filters of others mean here what they mean there: held against their own matchers, over made-up metadata."""

from __future__ import annotations

from haystack import Document
from haystack.utils.filters import document_matches_filter
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from embassay.integrations import haystack_filters, llama_filters, mongo
from embassay.stores.filters.meaning import predicate
from embassay.stores.filters.parser import parse
from embassay.types import Chunk

NUMBERS, WORDS = (
    st.integers(-3, 3) | st.sampled_from([0.5, -1.5]),
    st.sampled_from(["a", "b", 'quo"te', "back\\slash", "ü", "a b"]),
)
METADATA = st.fixed_dictionaries(
    {}, optional={"number": NUMBERS, "path": WORDS, "odd name": WORDS, "day": st.dates().map(str)}
)  # fmt: skip


def chunk(metadata):
    return Chunk("k", "doc", "elsewhere", "", "text", 0, (1, 1), (0, 4), 1, metadata=metadata)


def passes(expression, metadata):
    """Whether metadata pass, by the value and by the words that it prints as."""
    if expression is None:
        return True
    found = predicate(expression)(chunk(metadata))
    assert predicate(parse(str(expression)))(chunk(metadata)) == found
    return found


FIELDS = st.sampled_from([("number", NUMBERS), ("path", WORDS), ("odd name", WORDS)])


@st.composite
def haystack_tests(draw):
    name, values = draw(FIELDS)
    field, operator = (
        draw(st.sampled_from([name, f"meta.{name}"])),
        draw(st.sampled_from(["==", "!=", "in", "not in", ">", "<=", "<", ">="])),
    )
    if operator in ("in", "not in"):
        return {"field": field, "operator": operator, "value": draw(st.lists(values | st.none(), max_size=3))}
    if operator in ("==", "!="):
        return {"field": field, "operator": operator, "value": draw(values | st.none())}
    ordered = draw(st.sampled_from([("number", NUMBERS), ("day", st.dates().map(str))]))
    return {"field": f"meta.{ordered[0]}", "operator": operator, "value": draw(ordered[1] | st.none())}


HAYSTACK = st.recursive(
    haystack_tests(),
    lambda inner: st.fixed_dictionaries(
        {"operator": st.sampled_from(["AND", "OR", "NOT"]), "conditions": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)


@given(HAYSTACK, METADATA)
def test_filters_of_haystack(filters, metadata):
    expected = document_matches_filter(filters, Document(content="a", meta=metadata))
    assert passes(haystack_filters.filter_of(filters), metadata) == expected


@st.composite
def llama_tests(draw):
    name, values = draw(FIELDS)
    operator = draw(st.sampled_from(["==", "!=", "in", "nin", ">", ">=", "<", "<="]))
    if operator in ("in", "nin"):
        value = draw(st.lists(st.integers(-3, 3) if name == "number" else WORDS, min_size=1, max_size=3))
    elif operator in ("==", "!="):
        value = draw(values)
    else:
        name, value = "number", draw(NUMBERS)
    return MetadataFilter(key=name, value=value, operator=FilterOperator(operator))


LLAMA = st.recursive(
    st.builds(
        MetadataFilters,
        filters=st.lists(llama_tests(), min_size=1, max_size=3),
        condition=st.sampled_from([FilterCondition.AND, FilterCondition.OR]),
    ),
    lambda inner: st.builds(
        MetadataFilters,
        filters=st.lists(inner | llama_tests(), min_size=1, max_size=3),
        condition=st.sampled_from([FilterCondition.AND, FilterCondition.OR]),
    ),
    max_leaves=4,
)


def expected(filters, metadata):
    """What LlamaIndex says of each filter, combined: its own matcher takes no nested ones."""
    if isinstance(filters, MetadataFilter):
        return build_metadata_filter_fn(lambda _: metadata, MetadataFilters(filters=[filters]))("")
    combined = any if filters.condition is FilterCondition.OR else all
    return combined(expected(one, metadata) for one in filters.filters)


@given(LLAMA, METADATA)
def test_filters_of_llama_index(filters, metadata):
    assert passes(llama_filters.filter_of(filters), metadata) == expected(filters, metadata)


SIGNS = {"==": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "in": "$in", "nin": "$nin"}


def as_mapping(filters):
    """A filter of LlamaIndex in the form of MongoDB."""
    if isinstance(filters, MetadataFilter):
        return {filters.key: {SIGNS[filters.operator.value]: filters.value}}
    return {f"${filters.condition.value}": [as_mapping(one) for one in filters.filters]}


@given(LLAMA, METADATA)
def test_mappings(filters, metadata):
    found = expected(filters, metadata)
    assert passes(mongo.filter_of(as_mapping(filters)), metadata) == found
    assert passes(mongo.filter_of({"$not": as_mapping(filters)}), metadata) != found
