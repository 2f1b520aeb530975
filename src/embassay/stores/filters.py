"""Filters: one small typed expression over path, section, document and metadata.

    path ~ "docs/*.md" and year >= 2024 and not lang in ("de", "fr")

`~` matches a glob (``*`` within a folder, ``**`` across folders, ``?``). A number compares numerically and a
value that is no number never matches it; a string compares as text. A missing value matches nothing.
`matches` is the meaning; backends compile the same values to their own language.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from embassay.errors import FilterError
from embassay.types import Chunk, Scalar

COLUMNS = ("path", "section", "document")
"""Fields that are the chunk's own; every other name is a metadata key. ``meta.path`` is the metadata key."""

MAX_TESTS = 100
MAX_DEPTH = 20
"""Beyond these a filter is a program, and Lance's planner takes minutes over it."""


@dataclass(frozen=True, slots=True)
class Compare:
    field: str
    op: str
    """One of ``= != < <= > >=``."""
    value: Scalar

    def __str__(self) -> str:
        return f"{self.field} {self.op} {_shown(self.value)}"


@dataclass(frozen=True, slots=True)
class In:
    field: str
    values: tuple[Scalar, ...]

    def __str__(self) -> str:
        return f"{self.field} in ({', '.join(map(_shown, self.values))})"


@dataclass(frozen=True, slots=True)
class Glob:
    field: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.field} ~ {_shown(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Not:
    inner: Filter

    def __str__(self) -> str:
        return f"not ({self.inner})"


@dataclass(frozen=True, slots=True)
class And:
    left: Filter
    right: Filter

    def __str__(self) -> str:
        return f"({self.left} and {self.right})"


@dataclass(frozen=True, slots=True)
class Or:
    left: Filter
    right: Filter

    def __str__(self) -> str:
        return f"({self.left} or {self.right})"


Filter = Compare | In | Glob | Not | And | Or

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(expression: Filter, chunk: Chunk) -> bool:
    """Whether `chunk` passes: the definition that every backend has to agree with."""
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


def parse(text: str) -> Filter:
    """Read a filter. Raises FilterError that points at the place."""
    return _Parser(text).whole()


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


def _shown(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)


_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])
    |(?P<op><=|>=|!=|==|=|<|>|~|\(|\)|,)
    |(?P<word>[^\W\d][\w.\-]*)
    |(?P<end>$))""",
    re.VERBOSE,
)


class _Parser:
    """expression := term ("or" term)* ; term := factor ("and" factor)* ; factor := "not" factor | "(" … ")" | test"""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = self._tests = 0
        self._next()

    def whole(self) -> Filter:
        result = self._or()
        if self._kind != "end":
            raise self._error("and, or, or the end")
        return result

    def _or(self) -> Filter:
        left = self._and()
        while self._take("word", "or"):
            left = Or(left, self._and())
        return left

    def _and(self) -> Filter:
        left = self._factor()
        while self._take("word", "and"):
            left = And(left, self._factor())
        return left

    def _factor(self) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"the filter nests more than {MAX_DEPTH} levels deep.")
        try:
            if self._take("word", "not"):
                inner = self._factor()
                return inner.inner if isinstance(inner, Not) else Not(inner)
            if self._take("op", "("):
                inner = self._or()
                self._expect(")")
                return inner
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Filter:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise FilterError(f"the filter has more than {MAX_TESTS} tests.", remedy='Use: field in ("a", "b", ...)')
        if self._kind != "word":
            raise self._error("a field name")
        field = self._pop()
        if self._take("word", "in"):
            self._expect("(")
            values = [self._literal()]
            while self._take("op", ","):
                values.append(self._literal())
            self._expect(")")
            return In(field, tuple(values))
        if self._kind != "op" or self._word in {"(", ")", ","}:
            raise self._error("one of = != < <= > >= ~ in")
        op = self._pop()
        if op == "~":
            if self._kind != "string":
                raise self._error('a pattern in quotes, like "docs/*.md"')
            return Glob(field, str(self._literal()))
        return Compare(field, "=" if op == "==" else op, self._literal())

    def _literal(self) -> Scalar:
        kind, word = self._kind, self._word
        if kind == "string":
            self._next()
            return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
        if kind == "number":
            number = float(word)
            if not math.isfinite(number) or abs(number) > 2**53:
                raise self._error("a number up to 2**53")
            self._next()
            return number if re.search(r"[.eE]", word) else int(word)
        if kind == "word" and word in {"true", "false"}:
            self._next()
            return word == "true"
        raise self._error('a value: "text", a number, true or false')

    def _take(self, kind: str, word: str) -> bool:
        if self._kind != kind or self._word.lower() != word:
            return False
        self._next()
        return True

    def _expect(self, word: str) -> None:
        if not self._take("op", word):
            raise self._error(repr(word))

    def _pop(self) -> str:
        word = self._word
        self._next()
        return word

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if not found or found.lastgroup is None:
            self._kind, self._word = "", self._text[self._at : self._at + 10]
            raise self._error("a field, a value or an operator")
        self._start = found.start(found.lastgroup)
        self._at = found.end()
        self._kind, self._word = found.lastgroup, found[found.lastgroup]

    def _error(self, expected: str) -> FilterError:
        found = repr(self._word) if self._word else "the end"
        at = getattr(self, "_start", self._at) + 1
        return FilterError(
            f"the filter {self._text!r} cannot be read at character {at}: expected {expected}, found {found}.",
            remedy="""Example: path ~ "docs/*.md" and year >= 2024""",
        )
