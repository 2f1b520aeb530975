"""JSON without NaN and infinity, in both directions."""

from __future__ import annotations

import json
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
