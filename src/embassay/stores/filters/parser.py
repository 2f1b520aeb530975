"""Reads a filter from text."""

from __future__ import annotations

import math
import re
from typing import get_args

from embassay.arguments import shown
from embassay.errors import FilterError
from embassay.stores.filters.bounds import MAX_DEPTH, MAX_TESTS, MAX_TEXT, check_filter, too_deep, too_many_tests
from embassay.stores.filters.values import PLAIN, And, Compare, Exists, Filter, Glob, In, Not, Or
from embassay.text import composed
from embassay.types import Scalar

SHOWN = 200
"""Characters of a filter that an error repeats; of a longer one it shows what stands around the place."""


def read_filter(where: object) -> Filter | None:
    """A filter as programs hand it over: in words, as a value, or none at all.

    Raises FilterError for anything else, and as `parse` does.
    """
    if where is None or isinstance(where, get_args(Filter)):
        return where
    if not isinstance(where, str):
        raise FilterError(f"where is {shown(where)}; it must be a string or a Filter.")
    return parse(where)


def parse(text: str) -> Filter:
    """Read a filter.

    Raises FilterError, which names the character that cannot be read and what was expected there, or the bound that
    the filter exceeds.
    """
    if len(text) > MAX_TEXT:
        raise FilterError(f"the filter has {len(text):,} characters; the limit is {MAX_TEXT:,}.")
    expression = _Parser(composed(text)).whole()
    check_filter(expression)
    return expression


_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])
    |(?P<op><=|>=|!=|==|=|<|>|~|\(|\)|,)
    |(?P<word>[^\W\d][\w.\-]*)
    |(?P<quoted>`(?:[^`\\]|\\.)+`)
    |(?P<end>$))""",
    re.VERBOSE,
)


_FIELD, _OPERATOR, _TOKENS = "a field name", "one of = != < <= > >= ~ in exists", "a field, a value or an operator"
_OF_A_TEST = (_FIELD, _OPERATOR, _TOKENS)
"""What is missing where a name was not read as one."""
_ODD_NAME = re.compile(
    r"\s*(?P<name>[^`'()<>=!~]*?)(?P<rest>\s*(?:[<>=!~]|\b(?:in\s*\(|exists\b)).*)", re.DOTALL | re.IGNORECASE
)
"""What stands where a test begins, up to its operator; and the rest of the filter."""


class _Parser:
    """A recursive descent over this grammar:

    expression := term ("or" term)*
    term       := factor ("and" factor)*
    factor     := "not" factor | "(" expression ")" | test
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._test_at = 0
        self._depth = self._tests = self._start = 0
        self._kind = self._word = ""
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
            raise too_deep()
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
            raise too_many_tests()
        self._test_at = self._start
        field = self._field()
        if self._take("word", "exists"):
            return Exists(field)
        if self._take("word", "in"):
            self._expect("(")
            values = [self._literal()]
            while self._take("op", ","):
                values.append(self._literal())
            self._expect(")")
            return In(field, tuple(values))
        if self._kind != "op" or self._word in {"(", ")", ","}:
            raise self._error(_OPERATOR)
        op = self._pop()
        if op == "~":
            if self._kind != "string":
                raise self._error('a pattern in quotes, like "docs/*.md"')
            return Glob(field, str(self._literal()))
        return Compare(field, "=" if op == "==" else op, self._literal())

    def _field(self) -> str:
        if self._kind == "quoted":
            return _unescaped(self._pop())
        if self._kind != "word":
            raise self._error(_FIELD)
        return self._pop()

    def _literal(self) -> Scalar:
        kind, word = self._kind, self._word
        if kind == "string":
            self._next()
            return _unescaped(word)
        if kind == "number":
            number = float(word)
            if not math.isfinite(number) or abs(number) > 2**53:
                raise self._error("a number up to 2**53")
            self._next()
            return number if re.search(r"[.eE]", word) else int(number)
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
            self._start = len(self._text) - len(self._text[self._at :].lstrip())
            if self._word.lower() in ("", "and", "or", "not", "("):
                self._test_at = self._start
            self._kind, self._word = "", self._text[self._start : self._start + 10]
            raise self._error(_TOKENS)
        self._start = found.start(found.lastgroup)
        self._at = found.end()
        self._kind, self._word = found.lastgroup, found[found.lastgroup]

    def _error(self, expected: str) -> FilterError:
        found = repr(self._word[:SHOWN]) if self._word else "the end"
        at = self._start + 1
        return FilterError(
            f"the filter {self._around(at)!r} cannot be read at character {at}: expected {expected}, found {found}.",
            remedy=self._quoted(expected) or 'Example: path ~ "docs/*.md" and year >= 2024',
        )

    def _quoted(self, expected: str) -> str:
        """What helps where the name of a field is one that needs backquotes."""
        found = _ODD_NAME.match(self._text, self._test_at)
        if expected not in _OF_A_TEST or not found or PLAIN.fullmatch(found["name"]) or '"' in found["name"]:
            return ""
        return f"A name with spaces or signs stands in backquotes: `{found['name']}`{found['rest'][:SHOWN]}"

    def _around(self, at: int) -> str:
        if len(self._text) <= SHOWN:
            return self._text
        return f"…{self._text[max(0, at - SHOWN // 2) : at + SHOWN // 2]}…"


def _unescaped(quoted: str) -> str:
    """What stands between quotes."""
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)
