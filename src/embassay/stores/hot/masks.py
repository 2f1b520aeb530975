"""Filters over the columns of a part: each test is made once for every value that there is, not for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Protocol

import numpy as np

from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.meaning import metadata_key, test_of
from embassay.stores.filters.values import And, Compare, Exists, Filter, Glob, In, Not, Or
from embassay.stores.hot.coded import Coded
from embassay.stores.hot.fields import FieldColumns
from embassay.stores.hot.sections import Array


class Column(Protocol):
    """The values of one field of all rows."""

    def having(self, names: Iterable[str]) -> Array:
        """Which rows have one of these values: bool (rows,)."""

    def passing(self, test: Callable[[str], bool]) -> Array:
        """Which rows have a value that passes: bool (rows,)."""


def mask_of(where: Filter, rows: int, columns: Mapping[str, Coded], fields: FieldColumns) -> Array:
    """Which rows pass: bool (rows,). `columns` are those that `filters.values.COLUMNS` names. Raises FilterError for a
    filter beyond the bounds."""
    check_filter(where)

    def mask(expression: Filter) -> Array:
        match expression:
            case And() | Or():
                join: Callable[[Any, Any], Any] = np.logical_and if isinstance(expression, And) else np.logical_or
                return np.asarray(reduce(join, map(mask, operands(expression))))
            case Not(inner):
                return ~mask(inner)
            case Exists(field):
                key = metadata_key(field)
                return np.ones(rows, bool) if key is None else fields.having(key)
            case _:
                key = metadata_key(expression.field)
                column: Column = columns[expression.field] if key is None else fields.column(key)
                names = _named(expression)
                return column.passing(test_of(expression)) if names is None else column.having(names)

    return mask(where)


def _named(test: Compare | In | Glob) -> Sequence[str] | None:
    """The texts that pass, where the test is whether a value is one of these."""
    match test:
        case Compare(_, "=", str(text)):
            return (text,)
        case In(_, values) if all(isinstance(value, str) for value in values):
            return [str(value) for value in values]
        case _:
            return None
