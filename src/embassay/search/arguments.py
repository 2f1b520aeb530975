"""Arguments of a stage: the fields of its dataclass, with the range that each may take, written and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, lru_cache
from typing import TypeVar, get_type_hints

from embassay.errors import UsageError

T = TypeVar("T")
Value = str | int | float | bool
KINDS: Mapping[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
"""What an argument may be, in words."""
_LEAST, _MOST, _HIDDEN = "least", "most", "hidden"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a stage."""

    name: str
    kind: type
    default: object
    least: float | None = None
    most: float | None = None
    named: bool = False
    """Whether it has to be named: its place says nothing."""

    @property
    def expected(self) -> str:
        """What the argument has to be, in words: ``a whole number between 1 and 1,000,000``."""
        if self.least is None or self.most is None:
            return KINDS[self.kind]
        return f"{KINDS[self.kind]} between {self.least:,} and {self.most:,}"

    def accepts(self, value: object) -> bool:
        """Whether `value` has the right type and lies in the range."""
        if self.kind is str:
            return isinstance(value, str) and value.isprintable() and (bool(value) or not self.default)
        if self.kind is bool or isinstance(value, bool):
            return self.kind is bool and isinstance(value, bool)
        if not isinstance(value, int if self.kind is int else (int, float)) or not math.isfinite(value):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def argument(default: T, *, least: float | None = None, most: float | None = None) -> T:
    """A field of a stage that is an argument with a range; a plain default makes one without."""
    return field(default=default, metadata={_LEAST: least, _MOST: most})


def named(default: T, *, least: float | None = None, most: float | None = None) -> T:
    """The same for one that every stage of a kind has: it stands behind those of the stage, and is named in Python."""
    return field(default=default, kw_only=True, metadata={_LEAST: least, _MOST: most})


def hidden(default: T) -> T:
    """A field of a stage that is no argument: it has to be named in Python, and is written in another way."""
    return field(default=default, kw_only=True, metadata={_HIDDEN: True})


@cache
def arguments(stage: type) -> tuple[Argument, ...]:
    """The arguments of a class of stages, in the order in which they are written."""
    kinds = get_type_hints(stage)
    found = []
    for one in sorted(fields(stage), key=lambda one: one.kw_only is True):
        if _HIDDEN in one.metadata:
            continue
        if kinds[one.name] not in KINDS or one.default is MISSING:
            raise TypeError(f"{stage.__name__}.{one.name}: an argument is a str, int, float or bool with a default")
        least, most = one.metadata.get(_LEAST), one.metadata.get(_MOST)
        found.append(Argument(one.name, kinds[one.name], one.default, least, most, one.kw_only is True))
    return tuple(found)


def check(stage: Hashable, name: str) -> None:
    """Raises UsageError for the first argument of `stage` that is of a wrong type or out of its range."""
    for one in arguments(stage.__class__):
        value = getattr(stage, one.name)
        if not one.accepts(value):
            raise UsageError(f"{name}: {one.name} is {shown(value)}; it must be {one.expected}.")


@lru_cache(maxsize=1024)
def written(stage: Hashable, name: str) -> str:
    """``dense(200, vectors="coarse")``: the first argument always, the others where they differ from their default.

    A stage that takes none is written by its name alone.
    """
    values = [(one, getattr(stage, one.name)) for one in arguments(stage.__class__)]
    first = [shown(value) for _, value in values[:1]]
    others = [f"{one.name}={shown(value)}" for one, value in values[1:] if value != one.default]
    return f"{name}({', '.join([*first, *others])})" if values else name


def shown(value: object) -> str:
    """A value as it is written in a pipeline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def read_text(quoted: str) -> str:
    """The text inside of quotes, as `shown` writes it."""
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])
