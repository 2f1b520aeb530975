"""Whatever is given as metadata becomes values of JSON within bounds, and what is missing is said."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay import jsontext
from embassay.errors import ReadError
from embassay.metadata import MAX_DEPTH, MAX_FIELDS, MAX_NAME, MAX_NUMBERS, MAX_SIZE, MAX_TEXT, MAX_VALUES, kept


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (None, None),
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (["a", 1, [None]], ["a", 1, [None]]),
        ({"name": "Ann", 7: {"x": ()}}, {"name": "Ann", "7": {"x": []}}),
        ({"b", "a"}, ["a", "b"]),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.datetime(2024, 5, 1, 9, 30, tzinfo=datetime.UTC), "2024-05-01T09:30:00+00:00"),
        ([datetime.time(9, 30)], ["09:30:00"]),
        (decimal.Decimal("1.50"), 1.5),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        (np.float32(1.5), 1.5),
        (np.arange(3), [0, 1, 2]),
        (np.bool_(True), True),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "red"),
        ("e\u0301 \ud800", "\u00e9 \ufffd"),
    ],
)
def test_values(value, expected):
    found = kept({"field": value})
    assert found.metadata == {"field": expected} and type(found.metadata["field"]) is type(expected)
    assert not found.losses


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), np.float32("nan"), decimal.Decimal("NaN")])
def test_what_is_no_number_is_empty_and_told(value):
    found = kept({"a": value, "b": [1, value], "c": {"d": value}, "e": 1})
    assert found.metadata == {"a": None, "b": [1, None], "c": {"d": None}, "e": 1}
    assert {name: what.split(",")[0] for name, what in found.losses.items()} == dict.fromkeys(
        "abc", f"is {float(value)}"
    )


def test_what_is_metadata_already_stays_as_it_is():
    given = {"a": "x", "b": 1, "c": None, "d": True, "e": 1.5}
    assert kept(given).metadata is given


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


def shared(width: int, levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value] * width
    return value


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * (MAX_TEXT + 5), "was cut"),
        (nested(MAX_DEPTH + 1), "nested deeper than 8 levels"),
        (CYCLE, "nested deeper than 8 levels"),
        ([0.5] * (MAX_NUMBERS + 1), "257 numbers, which are left out"),
        (["x"] * (MAX_VALUES + 1), "more than 10,000 values"),
        (shared(40, 7), "more than 10,000 values"),
        (object(), "of the type object"),
    ],
    ids=["text", "depth", "cycle", "vector", "values", "shared values", "object"],
)
def test_what_is_missing_is_said_and_the_rest_is_kept(value, said):
    found = kept({"other": ["y"], "field": value})
    assert said in found.losses["field"] and list(found.losses) == ["field"]
    assert found.metadata["other"] == ["y"]
    jsontext.dumps(found.metadata)


def test_what_fits_exactly_is_whole():
    for value in ("x" * MAX_TEXT, nested(MAX_DEPTH), [0.5] * MAX_NUMBERS, ["x"] * (MAX_VALUES - 1)):
        found = kept({"field": value, "other": None})
        assert found.metadata["field"] == value and not found.losses


@pytest.mark.parametrize(
    "given",
    [
        {str(n): n for n in range(MAX_FIELDS + 1)},
        {"x" * (MAX_NAME + 1): 1},
        {"a": {"x" * (MAX_NAME + 1): 1}},
        {str(n): "x" * MAX_TEXT for n in range(MAX_SIZE // MAX_TEXT + 1)},
    ],
    ids=["fields", "name", "name inside", "size"],
)
def test_metadata_that_no_chunk_can_carry_is_refused(given):
    with pytest.raises(ReadError):
        kept(given)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.binary()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_it_is_json_and_made_again_it_is_the_same(given):
    found = kept(given)
    assert jsontext.loads(jsontext.dumps(found.metadata)) == found.metadata
    again = kept(found.metadata)
    assert again.metadata == found.metadata and not again.losses
    assert all(name.isprintable() for name in found.metadata)
