"""The values that a filter is made of; each prints as `parser` reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from embassay import jsontext
from embassay.types import Scalar

COLUMNS = ("path", "section", "document")
"""Fields of the chunk itself; every other name is a metadata key, and ``meta.path`` is the metadata key ``path``."""

PLAIN = re.compile(r"[^\W\d][\w.\-]*")
"""Names of fields that need no backquotes."""
KEYWORDS = frozenset({"and", "or", "not", "in", "exists", "true", "false"})


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value: a number numerically, a text or a truth value as text. Of a field with several
    values one has to do so, here and in the other tests."""

    field: str
    op: str
    """One of ``= != < <= > >=``."""
    value: Scalar

    def __str__(self) -> str:
        return f"{_named(self.field)} {self.op} {_shown(self.value)}"


@dataclass(frozen=True, slots=True)
class In:
    """A field that equals one of several values."""

    field: str
    values: tuple[Scalar, ...]

    def __str__(self) -> str:
        return f"{_named(self.field)} in ({', '.join(map(_shown, self.values))})"


@dataclass(frozen=True, slots=True)
class Glob:
    """A field that matches a pattern: ``*`` within a folder, ``**`` across folders, ``?`` for one character."""

    field: str
    pattern: str

    def __str__(self) -> str:
        return f"{_named(self.field)} ~ {_shown(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Exists:
    """A field that has a value, or values below it: ``author`` where there is an ``author.name``."""

    field: str

    def __str__(self) -> str:
        return f"{_named(self.field)} exists"


@dataclass(frozen=True, slots=True)
class Not:
    """What `inner` does not match."""

    inner: Filter

    def __str__(self) -> str:
        return f"not ({self.inner})"


@dataclass(frozen=True, slots=True)
class And:
    """What both match."""

    left: Filter
    right: Filter

    def __str__(self) -> str:
        return f"({self.left} and {self.right})"


@dataclass(frozen=True, slots=True)
class Or:
    """What either matches."""

    left: Filter
    right: Filter

    def __str__(self) -> str:
        return f"({self.left} or {self.right})"


Filter = Compare | In | Glob | Exists | Not | And | Or


def _named(field: str) -> str:
    """A field as it is written: in backquotes where it is no plain word, or one that means something else."""
    if PLAIN.fullmatch(field) and field.lower() not in KEYWORDS:
        return field
    return _quoted(field, "`")


def _shown(value: Scalar) -> str:
    return _quoted(value, '"') if isinstance(value, str) else jsontext.dumps(value)


def _quoted(text: str, sign: str) -> str:
    return sign + text.replace("\\", "\\\\").replace(sign, f"\\{sign}") + sign
