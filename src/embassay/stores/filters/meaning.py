"""What a filter means: the definition that every backend has to agree with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from embassay import jsontext
from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.glob import matcher
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
    """Whether `chunk` passes; see `predicate`."""
    return predicate(expression)(chunk)


def predicate(expression: Filter) -> Callable[[Chunk], bool]:
    """Tells of a chunk whether it passes. A missing value passes nothing, and one that is no number passes no number's
    test. Raises FilterError for a filter beyond the bounds."""
    check_filter(expression)
    return _predicate(expression)


def _predicate(expression: Filter) -> Callable[[Chunk], bool]:
    match expression:
        case And() | Or():
            parts = [_predicate(part) for part in operands(expression)]
            decide = all if isinstance(expression, And) else any
            return lambda chunk: decide(passes(chunk) for passes in parts)
        case Not(inner):
            passes = _predicate(inner)
            return lambda chunk: not passes(chunk)
        case In(field, values):
            return _listed(field, values)
        case Glob(field, pattern):
            return _tested(field, matcher(pattern).matches)
        case Compare(field, op, value):
            test = OPERATORS[op]
            if isinstance(value, (bool, str)):
                wanted = as_text(value)
                return _tested(field, lambda text: test(text, wanted))
            number = float(value)
            return _tested(field, lambda text: (found := _number(text)) is not None and test(found, number))


def _listed(field: str, values: Sequence[Scalar]) -> Callable[[Chunk], bool]:
    """Texts are compared as texts, numbers as numbers; each is looked up, however many there are."""
    texts = frozenset(as_text(value) for value in values if isinstance(value, (bool, str)))
    numbers = frozenset(float(value) for value in values if not isinstance(value, (bool, str)))
    return _tested(field, lambda text: text in texts or (bool(numbers) and _number(text) in numbers))


def _tested(field: str, test: Callable[[str], bool]) -> Callable[[Chunk], bool]:
    def passes(chunk: Chunk) -> bool:
        text = _value(field, chunk)
        return text is not None and test(text)

    return passes


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def as_text(value: Scalar) -> str:
    """How a metadata value compares as text: as JSON writes it, strings bare."""
    return value if isinstance(value, str) else jsontext.dumps(value, ascii_only=True)


def metadata_key(field: str) -> str | None:
    """The metadata key that `field` names, or None for a column."""
    return None if field in COLUMNS else field.removeprefix("meta.")


def _value(field: str, chunk: Chunk) -> str | None:
    key = metadata_key(field)
    if key is None:
        return str(getattr(chunk, field))
    return as_text(chunk.metadata[key]) if key in chunk.metadata else None
