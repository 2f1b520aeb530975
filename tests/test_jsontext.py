"""JSON without NaN and infinity, in both directions."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from embassay import jsontext


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_is_not_written(value):
    for data in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(ValueError):
            jsontext.dumps(data)


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1e400]", "[" * 100_000, "", "{", b"\xff", "9" * 5000]
)
def test_what_is_no_json_is_not_read(text):
    with pytest.raises(ValueError):
        jsontext.loads(text)


def test_what_is_json_is_as_the_standard_library_has_it():
    data = {"a": [1, 2.5, None, True, "ü\u2028"], "b": {"c": 1e308}}
    assert jsontext.loads(jsontext.dumps(data)) == data
    assert jsontext.dumps(data) == json.dumps(data, ensure_ascii=False)
    assert jsontext.dumps(data, ascii_only=True, sort_keys=True) == json.dumps(data, sort_keys=True)


def test_there_is_no_other_way():
    """Ruff bans the module elsewhere (TID251); nobody may switch that off."""
    source = Path(jsontext.__file__).parent
    for file in source.rglob("*.py"):
        text = file.read_text("utf-8")
        if file.name != "jsontext.py":
            assert not re.search(r"^\s*(import json\b|from json import)", text, re.MULTILINE), file
            assert "TID251" not in text


def test_what_other_programs_write_is_read_anyhow():
    read = jsontext.loads_anyhow('{"a": NaN, "b": [Infinity, -1e999, 2.5], "c": "x\ty\nz"}')
    assert math.isnan(read.pop("a"))
    assert read == {"b": [math.inf, -math.inf, 2.5], "c": "x\ty\nz"}
    for text in ("[" * 100_000, "{", "'a'"):
        with pytest.raises(ValueError):
            jsontext.loads_anyhow(text)


def test_values_are_told_with_their_places():
    text = ' [1, {"a": [2]},\n "b"] '
    assert list(jsontext.elements(text, 1)) == [(2, 1), (5, {"a": [2]}), (18, "b")]
    text = '{"a": 1, "b" : [2]}'
    assert [(name, text[start:end], value) for name, start, end, value in jsontext.members(text, 0)] == [
        ("a", "1", 1),
        ("b", "[2]", [2]),
    ]
    assert list(jsontext.values('{"a": 1}\n\n{"a":\n2} ')) == [(0, {"a": 1}), (10, {"a": 2})]
    assert list(jsontext.elements("[ ]", 0)) == list(jsontext.members("{}", 0)) == list(jsontext.values(" ")) == []


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", "[1,, 2]", "[1, oops]"])
def test_what_was_read_before_a_break_is_given(text):
    found = jsontext.elements(text, 0)
    assert next(found) == (1, 1)
    with pytest.raises(ValueError):
        list(found)


@pytest.mark.parametrize("text", ['{"a": 1', '{"a" 1}', "{1: 2}", '{"a": 1 "b": 2}'])
def test_objects_that_break_are_refused(text):
    with pytest.raises(ValueError):
        list(jsontext.members(text, 0))
