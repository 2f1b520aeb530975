"""The values that a filter is made of; each prints as `parser` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from embassay import jsontext
from embassay.types import Scalar

COLUMNS = ("path", "section", "document")
"""Fields of the chunk itself; every other name is a metadata key, and ``meta.path`` is the metadata key ``path``."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value: a number numerically, a text or a truth value as text."""

    field: str
    op: str
    """One of ``= != < <= > >=``."""
    value: Scalar

    def __str__(self) -> str:
        return f"{self.field} {self.op} {_shown(self.value)}"


@dataclass(frozen=True, slots=True)
class In:
    """A field that equals one of several values."""

    field: str
    values: tuple[Scalar, ...]

    def __str__(self) -> str:
        return f"{self.field} in ({', '.join(map(_shown, self.values))})"


@dataclass(frozen=True, slots=True)
class Glob:
    """A field that matches a pattern: ``*`` within a folder, ``**`` across folders, ``?`` for one character."""

    field: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.field} ~ {_shown(self.pattern)}"


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


Filter = Compare | In | Glob | Not | And | Or


def _shown(value: Scalar) -> str:
    return jsontext.dumps(value)
