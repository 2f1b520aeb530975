"""A filter of any size is answered within seconds or refused as too large, by Lance and by the exact store alike."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import FilterError
from embassay.stores.filters.bounds import MAX_DEPTH, MAX_PATTERN, MAX_TESTS, MAX_TEXT, MAX_VALUES, check_filter
from embassay.stores.filters.glob import GlobMatcher, glob_to_regex
from embassay.stores.filters.meaning import predicate
from embassay.stores.filters.parser import parse
from embassay.stores.filters.values import And, Compare, Filter, Glob, In, Not, Or
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks

CHUNKS, VECTORS = sample_chunks(500, 8)
ONE = Compare("year", "=", 2020)
SECONDS = 5.0


@pytest.fixture(scope="module", params=["lance", "memory"])
def version(request, tmp_path_factory):
    store = open_collection(request.param, tmp_path_factory.mktemp("b"), Collection.single("one", 8), create=True)
    store.upsert(CHUNKS, {VECTOR: VECTORS})
    with store.snapshot() as snapshot:
        yield snapshot
    store.close()


def nested(filter_: Filter, times: int, kind: type) -> Filter:
    for _ in range(times):
        filter_ = kind(filter_) if kind is Not else kind(ONE, filter_)
    return filter_


def alternating(times: int) -> Filter:
    filter_: Filter = ONE
    for at in range(times):
        filter_ = And(ONE, filter_) if at % 2 else Or(filter_, ONE)
    return filter_


LARGE = {
    "numbers": f"year in ({', '.join(map(str, range(MAX_VALUES)))})",
    "the same number": f"year in ({','.join(['2020'] * MAX_VALUES)})",
    "texts": f"path in ({', '.join(f'{chr(34)}docs/a{n}.md{chr(34)}' for n in range(MAX_VALUES))})",
    "mixed": f"year in ({', '.join(['2018', 'true', chr(34) + '2020' + chr(34)] * (MAX_VALUES // 3))})",
    "several lists": " or ".join(f"year in ({', '.join(map(str, range(100)))})" for _ in range(MAX_TESTS)),
    "clauses": " or ".join(["year = 2020"] * MAX_TESTS),
    "and, or": " or ".join(["year > 2000 and year < 3000"] * (MAX_TESTS // 2)),
    "a long text": f'path = "{"x" * (MAX_TEXT - 100)}"',
    "escapes": f'path = "{chr(92) * 2 * (MAX_TEXT // 2 - 100)}"',
    "white space": " " * (MAX_TEXT - 100) + "year = 2020",
    "stars": f'path ~ "{"*a" * (MAX_PATTERN // 2)}"',
    "double stars": f'path ~ "{"**a" * (MAX_PATTERN // 3)}"',
    "folders": f'path ~ "{"**/" * (MAX_PATTERN // 3)}"',
    "stars and marks": f'path ~ "{"*?" * (MAX_PATTERN // 2)}"',
    "globs": " or ".join([f'path ~ "{"*a" * 50}"'] * MAX_TESTS),
    "nots": "not " * (MAX_DEPTH - 1) + "year = 2020",
    "parentheses": "(" * (MAX_DEPTH - 1) + "year = 2020" + ")" * (MAX_DEPTH - 1),
    "a number of many digits": f"year = 2020.{'0' * 100_000}",
    "leading zeros": f"year = {'0' * 100_000}2020",
}


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_filters_are_fast_and_mean_the_same(version, name):
    started = time.monotonic()
    expression = parse(LARGE[name])
    counted = version.count(expression)
    assert time.monotonic() - started < SECONDS
    assert counted == sum(map(predicate(expression), CHUNKS))


TOO_LARGE = {
    "numbers": f"a in ({','.join(['1'] * (MAX_VALUES + 1))})",
    "many numbers": f"a in ({','.join(['1'] * 60_000)})",
    "lists": " or ".join([f"a in ({','.join(['1'] * 1000)})"] * 11),
    "clauses": " or ".join(["a = 1"] * (MAX_TESTS + 1)),
    "thousands of clauses": " and ".join(["a = 1"] * 20_000),
    "nots": "not " * 30_000 + "a = 1",
    "parentheses": "(" * 30_000 + "a = 1" + ")" * 30_000,
    "a pattern": f'path ~ "{"*" * (MAX_PATTERN + 1)}"',
    "text": f'path = "{"x" * MAX_TEXT}"',
    "an open text": '"' + "x\\" * (MAX_TEXT // 2 - 10),
    "a number": f"a = {'9' * 500_000}",
    "an exponent": "a = 1e99999999999",
    "white space": " " * (MAX_TEXT - 10) + "!",
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_larger_ones_are_refused_at_once(name):
    started = time.monotonic()
    with pytest.raises(FilterError) as caught:
        parse(TOO_LARGE[name])
    assert time.monotonic() - started < 2
    assert len(str(caught.value)) < 1_500, "what is shown of it is short"


@pytest.mark.parametrize(
    "expression",
    [
        nested(ONE, 100_000, Not),
        nested(ONE, 100_000, And),
        nested(ONE, MAX_TESTS, Or),
        alternating(MAX_DEPTH + 2),
        In("a", tuple(range(60_000))),
        Glob("path", "*" * 100_000),
    ],
    ids=["nots", "ands", "ors", "alternating", "values", "pattern"],
)
def test_filters_made_as_values_are_bounded_too(version, expression):
    with pytest.raises(FilterError):
        version.count(expression)


def test_how_often_a_part_is_shared_does_not_count_for_less():
    shared: Filter = ONE
    for _ in range(60):
        shared = And(shared, shared)
    with pytest.raises(FilterError, match="more than 100 tests"):
        check_filter(shared)


@given(
    st.lists(st.sampled_from(["*", "**", "**/", "?", "a", "/", "b", ".", "\n"]), max_size=8).map("".join),
    st.text(alphabet="ab/.\n", max_size=10),
)
def test_globs_agree_with_their_regular_expression(pattern, text):
    assert GlobMatcher(pattern).matches(text) == bool(re.fullmatch(glob_to_regex(pattern), text))
