"""Filters in the SQL of Lance: literals pass through `_literal` alone, fields are columns or JSON keys."""

from __future__ import annotations

from embassay.stores.filters.meaning import as_text, glob_to_regex, metadata_key
from embassay.stores.filters.values import COLUMNS, And, Compare, Filter, Glob, In, Not, Or
from embassay.text import encodable
from embassay.types import Scalar


def to_sql(expression: Filter, columns: tuple[str, ...] = COLUMNS) -> str:
    """`expression` as a condition; a missing value is false, never NULL, so that NOT means what it says."""
    match expression:
        case And() | Or():
            word = " AND " if isinstance(expression, And) else " OR "
            return f"({word.join(to_sql(part, columns) for part in _chain(expression))})"
        case Not(inner):
            return f"(NOT {to_sql(inner, columns)})"
        case Glob(field, pattern):
            return f"coalesce(regexp_like({_field(field, columns)}, {_literal(glob_to_regex(pattern))}), false)"
        case In(field, values):
            return _in(field, values, columns)
        case Compare(field, op, value):
            operand = _field(field, columns)
            if not isinstance(value, (str, bool)):
                operand = f"try_cast({operand} AS double)"
            return f"coalesce({operand} {op} {_literal(value)}, false)"


def _chain(expression: And | Or) -> list[Filter]:
    """The operands of a run of one operator: Lance's planner recurses into nested parentheses."""
    parts: list[Filter] = []
    left: Filter = expression
    while type(left) is type(expression) and isinstance(left, (And, Or)):
        parts.append(left.right)
        left = left.left
    return [left, *reversed(parts)]


def _in(field: str, values: tuple[Scalar, ...], columns: tuple[str, ...]) -> str:
    texts = [_literal(v) for v in values if isinstance(v, (str, bool))]
    tests = [f"coalesce({_field(field, columns)} IN ({', '.join(texts)}), false)"] if texts else []
    tests += [to_sql(Compare(field, "=", v), columns) for v in values if not isinstance(v, (str, bool))]
    return f"({' OR '.join(tests) or 'false'})"


def _field(name: str, columns: tuple[str, ...]) -> str:
    if name in columns:
        return name
    return f"json_get_string(metadata, {_literal(metadata_key(name) or name)})"


def _literal(value: Scalar) -> str:
    if isinstance(value, (str, bool)):
        return "'" + encodable(as_text(value)).replace("'", "''") + "'"
    return repr(float(value))
