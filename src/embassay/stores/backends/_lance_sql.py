"""Filters in the SQL of Lance: literals pass through `_literal` alone, fields are columns or JSON keys."""

from __future__ import annotations

from collections.abc import Sequence

from embassay.stores.backends._lance_metadata import BETWEEN, NAMES, NUMBERS, TEXTS
from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.fields import as_text
from embassay.stores.filters.glob import glob_to_regex
from embassay.stores.filters.meaning import metadata_key
from embassay.stores.filters.values import COLUMNS, And, Compare, Exists, Filter, Glob, In, Not, Or
from embassay.text import encodable
from embassay.types import Scalar

Test = Compare | In | Glob | Exists
_NO_NUMBERS = {">": ("inf", "nan"), "<": ("-inf", "-nan"), "!": ("inf", "nan", "-inf", "-nan"), "=": ()}
"""What SQL reads of words such as ``Inf`` and ``nan``, which are no numbers: by the first sign of an operator those
that would pass it. NaN is greater than every number there, and -NaN less."""


def to_sql(expression: Filter, columns: tuple[str, ...] = COLUMNS) -> str:
    """`expression` as a condition; a missing value is false, never NULL, so that NOT means what it says. ``IS TRUE``
    makes it so, which computes its operand once, other than ``coalesce``.

    Raises FilterError for a filter beyond the bounds: Lance's planner recurses.
    """
    check_filter(expression)
    return _sql(expression, columns)


def _sql(expression: Filter, columns: tuple[str, ...]) -> str:
    match expression:
        case And() | Or():
            word = " AND " if isinstance(expression, And) else " OR "
            return f"({word.join(_sql(part, columns) for part in operands(expression))})"
        case Not(inner):
            return f"(NOT {_sql(inner, columns)})"
        case _ if expression.field in columns:
            return f"({_of_one(expression, expression.field)}) IS TRUE"
        case _:
            name = metadata_key(expression.field)
            return _of_metadata(expression, expression.field if name is None else name)


def _of_metadata(test: Test, name: str) -> str:
    """The test of a field that has one value, several, or none. What begins with `BETWEEN` is no field of anybody's."""
    if BETWEEN in name:
        return "false"
    one, texts, numbers = (_at(prefix + name) for prefix in ("", TEXTS, NUMBERS))
    match test:
        case Exists():
            listed = f"array_has({_array(_at(NAMES))}, {_literal(name)})"
            return f"({one} IS NOT NULL OR {listed} IS TRUE)"
        case Glob(_, pattern):
            joined = f"regexp_like({texts}, {_literal(glob_to_regex(pattern, BETWEEN))})"
            many = "false" if BETWEEN in pattern else joined
        case In(_, values):
            many = _any_in(_array(texts), _array_of_numbers(numbers), values)
        case Compare(_, op, value):
            many = _any_is(_array(texts) if _is_text(value) else _array_of_numbers(numbers), op, _literal(value))
    return f"(({_of_one(test, one)}) IS TRUE OR ({many}) IS TRUE)"


def _of_one(test: Test, operand: str) -> str:
    """The test of an operand that has one value; NULL where that is missing."""
    match test:
        case Exists():
            return f"{operand} IS NOT NULL"
        case Glob(_, pattern):
            return f"regexp_like({operand}, {_literal(glob_to_regex(pattern))})"
        case In(_, values):
            return _in(operand, values)
        case Compare(_, op, value):
            if _is_text(value):
                return f"{operand} {op} {_literal(value)}"
            number = _as_number(operand)
            for word in _NO_NUMBERS[op[0]]:
                number = f"nullif({number}, cast('{word}' AS double))"
            return f"{number} {op} {_literal(value)}"


def _in(field: str, values: Sequence[Scalar]) -> str:
    """One list of texts and one of numbers: a row of comparisons would be a tree as deep as they are many."""
    texts, numbers = _literals(values)
    tests = [f"{field} IN ({', '.join(texts)})"] if texts else []
    tests += [f"{_as_number(field)} IN ({', '.join(numbers)})"] if numbers else []
    return f"({' OR '.join(tests) or 'false'})"


def _any_in(texts: str, numbers: str, values: Sequence[Scalar]) -> str:
    """Whether one of a field's values is listed."""
    listed = zip((texts, numbers), _literals(values), strict=True)
    tests = [f"array_has_any({array}, make_array({', '.join(wanted)}))" for array, wanted in listed if wanted]
    return f"({' OR '.join(tests) or 'false'})"


def _any_is(array: str, op: str, wanted: str) -> str:
    """Whether one of several values compares as is asked: the least or the greatest does if any one does."""
    match op:
        case "=":
            return f"array_has({array}, {wanted})"
        case "!=":
            return f"(array_min({array}) != {wanted} OR array_max({array}) != {wanted})"
        case "<" | "<=":
            return f"array_min({array}) {op} {wanted}"
        case _:
            return f"array_max({array}) {op} {wanted}"


def _at(key: str) -> str:
    return f"json_get_string(metadata, {_literal(key)})"


def _array(joined: str) -> str:
    return f"string_to_array({joined}, {_literal(BETWEEN)})"


def _array_of_numbers(joined: str) -> str:
    return f"arrow_cast({_array(joined)}, 'List(Float64)')"


def _as_number(operand: str) -> str:
    """Adding 0 makes 0.0 of -0.0, which SQL takes for less."""
    return f"(try_cast({operand} AS double) + 0.0)"


def _literals(values: Sequence[Scalar]) -> tuple[list[str], list[str]]:
    """Those that compare as texts, and the numbers; each once."""
    texts = dict.fromkeys(_literal(value) for value in values if _is_text(value))
    return list(texts), list(dict.fromkeys(_literal(value) for value in values if not _is_text(value)))


def _is_text(value: Scalar) -> bool:
    return isinstance(value, (str, bool))


def _literal(value: Scalar) -> str:
    if isinstance(value, (str, bool)):
        return "'" + encodable(as_text(value)).replace("'", "''") + "'"
    return repr(float(value) + 0.0)
