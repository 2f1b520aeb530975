"""Filters over the columns of a part: each test is made once for every value that there is, not for every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from embassay.stores.filters.bounds import check_filter, operands
from embassay.stores.filters.meaning import metadata_key, test_of
from embassay.stores.filters.values import And, Exists, Filter, Not, Or
from embassay.stores.hot.coded import Coded
from embassay.stores.hot.fields import FieldColumns
from embassay.stores.hot.sections import Array


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
                test = test_of(expression)
                return columns[expression.field].passing(test) if key is None else fields.passing(key, test)

    return mask(where)
