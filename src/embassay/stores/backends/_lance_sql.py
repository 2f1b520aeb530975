"""Filters in the SQL of Lance: literals pass through `_literal` alone, fields are columns or JSON keys."""

from __future__ import annotations

from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.glob import glob_to_regex
from embassay.stores.filters.meaning import as_text, metadata_key
from embassay.stores.filters.values import COLUMNS, And, Compare, Filter, Glob, In, Not, Or
from embassay.text import encodable
from embassay.types import Scalar


def to_sql(expression: Filter, columns: tuple[str, ...] = COLUMNS) -> str:
    """`expression` as a condition; a missing value is false, never NULL, so that NOT means what it says.

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
        case Glob(field, pattern):
            return f"coalesce(regexp_like({_field(field, columns)}, {_literal(glob_to_regex(pattern))}), false)"
        case In(field, values):
            return _in(_field(field, columns), values)
        case Compare(field, op, value):
            operand = _field(field, columns)
            if not isinstance(value, (str, bool)):
                operand = _as_number(operand)
            return f"coalesce({operand} {op} {_literal(value)}, false)"


def _in(field: str, values: tuple[Scalar, ...]) -> str:
    """One list of texts and one of numbers: a row of comparisons would be a tree as deep as they are many."""
    texts = dict.fromkeys(_literal(v) for v in values if isinstance(v, (str, bool)))
    numbers = dict.fromkeys(_literal(v) for v in values if not isinstance(v, (str, bool)))
    tests = [f"coalesce({field} IN ({', '.join(texts)}), false)"] if texts else []
    tests += [f"coalesce({_as_number(field)} IN ({', '.join(numbers)}), false)"] if numbers else []
    return f"({' OR '.join(tests) or 'false'})"


def _as_number(operand: str) -> str:
    return f"try_cast({operand} AS double)"


def _field(name: str, columns: tuple[str, ...]) -> str:
    if name in columns:
        return name
    return f"json_get_string(metadata, {_literal(metadata_key(name) or name)})"


def _literal(value: Scalar) -> str:
    if isinstance(value, (str, bool)):
        return "'" + encodable(as_text(value)).replace("'", "''") + "'"
    return repr(float(value))
