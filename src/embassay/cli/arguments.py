"""What no argument of any command may be, and paths as people write them: once, before a command sees them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from embassay.errors import UsageError
from embassay.files import expanded
from embassay.text import encodable, printable

LARGEST = 10**15
"""No number has to be larger: it would not fit where it is used."""


def checked_words(words: Sequence[str]) -> None:
    """Raises UsageError for a word of the command line that could not be the name of any file."""
    for word in words:
        try:
            if b"\0" not in os.fsencode(word):
                continue
        except UnicodeError:  # half a character
            pass
        raise UsageError(f"{printable(word)[:40]!r} holds what no name of a file may hold.")


def checked_arguments(given: Mapping[str, object]) -> dict[str, object]:
    """The arguments of a command, with a ``~`` at the beginning of a path replaced by the home folder.

    Raises UsageError for NaN, infinity and numbers beyond `LARGEST`, for text that is no path and holds bytes that are
    no UTF-8, and for the home folder of nobody.
    """
    return {name: _of(name.removesuffix("_name").replace("_", "-"), value) for name, value in given.items()}


def _of(name: str, value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_of(name, one) for one in value]
    value = _decoded(value) if isinstance(value, str) else value
    _check(name, value)
    return expanded(value) if isinstance(value, Path) else value


def _decoded(text: str) -> str:
    """UTF-8 that came in a locale of another encoding; anything else as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode()
    except UnicodeError:
        return text


def _check(name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{name} is {value}; it must be a number.")
    if isinstance(value, (int, float)) and abs(value) > LARGEST:
        raise UsageError(f"{name} is {str(value)[:20]}; it must be between {-LARGEST:.0e} and {LARGEST:.0e}.")
    if isinstance(value, str) and encodable(value) != value:
        raise UsageError(f"{name} holds bytes that are no UTF-8.")
