"""How large a filter may be, and the check of it: beyond these it is a program, and planners take minutes over it."""

from __future__ import annotations

from embassay.errors import FilterError
from embassay.stores.filters.values import And, Compare, Exists, Filter, Glob, In, Not, Or

MAX_TESTS = 100
MAX_DEPTH = 20
"""Levels of `not`, and of `and` within `or` within `and`."""
MAX_VALUES = 10_000
"""Values of all lists of a filter together."""
MAX_PATTERN = 1_000
"""Characters of a glob."""
MAX_TEXT = 1_000_000
"""Characters of a filter that is read from text."""


def check_filter(expression: Filter) -> None:
    """Raises FilterError for a filter beyond these bounds, however it was made."""
    tests = values = 0
    stack: list[tuple[Filter, int]] = [(expression, 0)]
    while stack:
        part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise too_deep()
        match part:
            case And() | Or():
                stack += [(operand, depth + 1) for operand in operands(part)]
            case Not(inner):
                stack.append((inner, depth + 1))
            case In(_, listed):
                tests, values = tests + 1, values + len(listed)
            case Glob(_, pattern):
                tests += 1
                if len(pattern) > MAX_PATTERN:
                    raise FilterError(f"a pattern of the filter has {len(pattern):,} characters; {_most(MAX_PATTERN)}.")
            case Compare() | Exists():
                tests += 1
        if tests > MAX_TESTS:
            raise too_many_tests()
    if values > MAX_VALUES:
        raise FilterError(
            f"the lists of the filter have {values:,} values; {_most(MAX_VALUES)}.",
            remedy="Search several times, or write what the values have in common into the metadata.",
        )


def operands(expression: And | Or) -> list[Filter]:
    """What a run of one operator joins, in order: ``(a or b) or (c or d)`` joins four, however it is nested.

    Raises FilterError for more than `MAX_TESTS`.
    """
    found: list[Filter] = []
    stack: list[Filter] = [expression]
    while stack:
        part = stack.pop()
        if len(found) + len(stack) > MAX_TESTS:
            raise too_many_tests()
        if type(part) is type(expression) and isinstance(part, (And, Or)):
            stack += [part.right, part.left]
        else:
            found.append(part)
    return found


def too_many_tests() -> FilterError:
    """The error of a filter with more than `MAX_TESTS`."""
    return FilterError(f"the filter has more than {MAX_TESTS} tests.", remedy='Use: field in ("a", "b", ...)')


def too_deep() -> FilterError:
    """The error of a filter that nests deeper than `MAX_DEPTH`."""
    return FilterError(f"the filter nests more than {MAX_DEPTH} levels deep.")


def _most(count: int) -> str:
    return f"the limit is {count:,}"
