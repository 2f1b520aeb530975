"""What the arguments of public calls may be: held against their kinds once, before any work begins.

A wrong type is otherwise noticed wherever it is first used, as an AttributeError of code that the caller never saw.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from embassay.errors import UsageError
from embassay.space import Space

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be, and how a sentence calls that."""

    words: str
    allows: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_listed(value: object) -> bool:
    """A text is no list of its letters, nor a mapping one of its names."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _lists(*kinds: type) -> Callable[[object], bool]:
    """Iterators are believed: to look into one would use it up."""

    def allows(value: object) -> bool:
        if not isinstance(value, (list, tuple, set, frozenset)):
            return _is_listed(value)
        return all(isinstance(one, kinds) and not isinstance(one, bool) for one in value)

    return allows


def _is_text_or_texts(value: object) -> bool:
    return isinstance(value, str) or _lists(str)(value)


def _is_pair_of_texts(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, str) for one in value)


TEXT = Kind("a string", _is_text)
WHOLE = Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NUMBER = Kind("a number", _is_number)
NAMES = Kind("a list of strings", _lists(str))
TEXTS = Kind("a list of strings", lambda value: NAMES.allows(value) and not isinstance(value, Iterator))
PATHS = Kind("a list of paths", _lists(str, os.PathLike))
HITS = Kind("a list of ranks and documents", _lists(str, int))
KINDS = {
    **dict.fromkeys(("query", "mode", "group_by", "role", "on_long", "model", "precision", "language"), TEXT),
    **dict.fromkeys(("name", "new", "path", "glob", "thumbs", "id", "to", "why", "tree", "use_case"), TEXT),
    **dict.fromkeys(("k", "context", "chunk_tokens", "limit"), WHOLE),
    **dict.fromkeys(("max_file_mb", "poll", "keep_days", "days"), NUMBER),
    **dict.fromkeys(("id_field", "text_field", "vector_field", "format"), TEXT),
    **dict.fromkeys(("place", "folder"), Kind("a path", lambda value: isinstance(value, (str, os.PathLike)))),
    "texts": TEXTS,
    **dict.fromkeys(("exclude", "include", "beside"), NAMES),
    "paths": PATHS,
    **dict.fromkeys(("clicked", "about"), HITS),
    "expand": Kind("the name of a stage, or a list of names", _is_text_or_texts),
    "parent": Kind("section, document or a number of tokens", lambda value: _is_text(value) or WHOLE.allows(value)),
    "query_model": TEXT,
    "behind": Kind("a path and an id", _is_pair_of_texts),
    "set": Kind("the name of a set, or a list of names", _is_text_or_texts),
    "trial": Kind("TrialTerms", lambda value: hasattr(value, "keep_above")),
    "observer": Kind("something that observes a trial", callable),
    "space": Kind("a Space", lambda value: isinstance(value, Space)),
    "cascade": Kind("True, False or a Cascade", lambda value: isinstance(value, bool) or hasattr(value, "budget_ms")),
    "min_score": Kind("a mapping such as {'dense': 0.3}", lambda value: isinstance(value, Mapping)),
}
"""By the name of the argument, which means the same in every call."""


def check(name: str, value: object) -> None:
    """Raises UsageError where `value` is not of the kind that arguments of this name have."""
    kind = KINDS.get(name)
    if kind is not None and not kind.allows(value):
        raise UsageError(f"{name} is {shown(value)}; it must be {kind.words}.")


def shown(value: object) -> str:
    """What was handed over, in words: ``the string 'a'``, ``a dict``, ``5``, ``None``."""
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)[:40]
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIO' else 'a'} {kind}"


def checks_arguments(kind: type[C]) -> type[C]:
    """Have every public method of a class raise UsageError for an argument of another kind than its name has.

    Those for asyncio are left alone: they hand on to the others.
    """
    for name, method in vars(kind).copy().items():
        if inspect.isfunction(method) and not name.startswith("_") and not inspect.iscoroutinefunction(method):
            setattr(kind, name, checked(method))
    return kind


def checked(call: Callable[P, R]) -> Callable[P, R]:
    """A public call that raises UsageError for an argument of another kind than its name has.

    None passes where it is the default, and where options are only handed on.
    """
    signature = inspect.signature(call)
    may_be_none = {one.name for one in signature.parameters.values() if one.default is None}
    gathered = next((one.name for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD), "")

    @functools.wraps(call)
    def checking(*args: P.args, **kwargs: P.kwargs) -> R:
        given = dict(signature.bind(*args, **kwargs).arguments)
        handed_on = given.pop(gathered, {})
        for name, value in (given | handed_on).items():
            if value is not None or not (name in may_be_none or name in handed_on):
                check(name, value)
        return call(*args, **kwargs)

    return checking
