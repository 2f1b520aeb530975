"""What a filter means: the definition that every backend has to agree with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.fields import as_number, as_text, fields_of, values_of
from embassay.stores.filters.glob import matcher
from embassay.stores.filters.values import COLUMNS, And, Compare, Exists, Filter, Glob, In, Not, Or
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
    """Tells of a chunk whether it passes. A field without a value passes no test, a text that is no number no number's
    test, and a field with several values those that one of them passes. Raises FilterError for a filter beyond the
    bounds."""
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
        case Exists(field):
            return _existing(field)
        case _:
            return _tested(expression.field, test_of(expression))


def test_of(expression: Compare | In | Glob) -> Callable[[str], bool]:
    """Tells of one value of the field, as `fields.as_text` writes it, whether it passes."""
    match expression:
        case In(_, values):
            return _listed(values)
        case Glob(_, pattern):
            return matcher(pattern).matches
        case Compare(_, op, value):
            test = OPERATORS[op]
            if isinstance(value, (bool, str)):
                wanted = as_text(value)
                return lambda text: test(text, wanted)
            number = float(value)
            return lambda text: (found := as_number(text)) is not None and test(found, number)


def _listed(values: Sequence[Scalar]) -> Callable[[str], bool]:
    """Texts are compared as texts, numbers as numbers; each is looked up, however many there are."""
    texts = frozenset(as_text(value) for value in values if isinstance(value, (bool, str)))
    numbers = frozenset(float(value) for value in values if not isinstance(value, (bool, str)))
    return lambda text: text in texts or (bool(numbers) and as_number(text) in numbers)


def _tested(field: str, test: Callable[[str], bool]) -> Callable[[Chunk], bool]:
    key = metadata_key(field)
    if key is None:
        return lambda chunk: test(getattr(chunk, field))
    return lambda chunk: any(test(as_text(value)) for value in values_of(chunk.metadata, key))


def _existing(field: str) -> Callable[[Chunk], bool]:
    key = metadata_key(field)
    if key is None:
        return lambda _chunk: True
    below = f"{key}."
    return lambda chunk: any(name == key or name.startswith(below) for name in fields_of(chunk.metadata))


def metadata_key(field: str) -> str | None:
    """The name in the metadata that `field` means, or None for a column."""
    return None if field in COLUMNS else field.removeprefix("meta.")
