"""What a filter means: the definition that every backend has to agree with."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from embassay.stores.filters.values import COLUMNS, And, Compare, Filter, Glob, In, Not, Or
from embassay.types import Chunk, Scalar

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(expression: Filter, chunk: Chunk) -> bool:
    """Whether `chunk` passes. A missing value passes nothing, and one that is no number passes no number's test."""
    match expression:
        case And(left, right):
            return matches(left, chunk) and matches(right, chunk)
        case Or(left, right):
            return matches(left, chunk) or matches(right, chunk)
        case Not(inner):
            return not matches(inner, chunk)
        case In(field, values):
            return any(matches(Compare(field, "=", value), chunk) for value in values)
        case Glob(field, pattern):
            text = _value(field, chunk)
            return text is not None and bool(_compiled(pattern).fullmatch(text))
        case Compare(field, op, value):
            text = _value(field, chunk)
            if text is None:
                return False
            if isinstance(value, (bool, str)):
                return OPERATORS[op](text, as_text(value))
            try:
                return OPERATORS[op](float(text), float(value))
            except ValueError:
                return False


def as_text(value: Scalar) -> str:
    """How a metadata value compares as text: as JSON writes it, strings bare."""
    return value if isinstance(value, str) else json.dumps(value)


def metadata_key(field: str) -> str | None:
    """The metadata key that `field` names, or None for a column."""
    return None if field in COLUMNS else field.removeprefix("meta.")


def glob_to_regex(pattern: str) -> str:
    """The pattern as a regular expression that both Python and Rust read alike."""
    out = ""
    for part in re.findall(r"\*\*/?|\*|\?|[^*?]+", pattern):
        if part == "**/":
            out += "(?:.*/)?"
        else:
            out += {"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
    return f"(?s)^{out}$"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(glob_to_regex(pattern))


def _value(field: str, chunk: Chunk) -> str | None:
    key = metadata_key(field)
    if key is None:
        return str(getattr(chunk, field))
    return as_text(chunk.metadata[key]) if key in chunk.metadata else None
