"""JSON as the standard has it: neither written nor read with NaN or infinity, which other programs cannot read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any


def dumps(data: Any, *, ascii_only: bool = False, indent: int | None = None, sort_keys: bool = False) -> str:
    """`data` as JSON. Raises ValueError for NaN and infinity, TypeError for what JSON has no word for."""
    return json.dumps(data, ensure_ascii=ascii_only, indent=indent, sort_keys=sort_keys, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """What JSON text says. Raises ValueError for text that is none, for NaN, for numbers beyond a float, and for
    nesting that is too deep."""
    try:
        if isinstance(text, str) and not text.startswith("\ufeff"):  # of which the usual call says what is wrong
            return _strict().decode(text)
        return json.loads(text, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def loads_anyhow(text: str) -> Any:
    """What JSON text says, whoever wrote it: NaN, infinity and numbers beyond a float are read as floats that are not
    finite, and strings may hold line ends and tabs. Raises ValueError for text that is none."""
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def values(text: str) -> Iterator[tuple[int, Any]]:
    """(position, value) of each value of a text that holds one behind another, as `elements` does. Commas may stand
    between them."""
    at = _space(text, 0)
    while at < len(text):
        value, end = _value(text, at)
        yield at, value
        at = _space(text, end)
        if text.startswith(",", at):
            at = _space(text, at + 1)


def elements(text: str, at: int) -> Iterator[tuple[int, Any]]:
    """(position, value) of each element of the array that opens at character `at`, read as by `loads_anyhow`.

    Raises ValueError where the text is no array of JSON from there on. What was read before is given all the same.
    """
    at = _space(text, at + 1)
    while not text.startswith("]", at):
        value, end = _value(text, at)
        yield at, value
        at = _space(text, end)
        if text.startswith(",", at):
            at = _space(text, at + 1)
        elif not text.startswith("]", at):
            raise ValueError(f"expected a comma or the end of a list at character {at:,}")


def members(text: str, at: int) -> Iterator[tuple[str, int, int, Any]]:
    """(name, where the value begins, where it ends, value) of each member of the object that opens at `at`.

    Raises ValueError as `elements` does.
    """
    at = _space(text, at + 1)
    while not text.startswith("}", at):
        name, end = _value(text, at)
        at = _space(text, end)
        if not isinstance(name, str) or not text.startswith(":", at):
            raise ValueError(f"expected a name and a colon at character {at:,}")
        start = _space(text, at + 1)
        value, end = _value(text, start)
        yield name, start, end, value
        at = _space(text, end)
        if text.startswith(",", at):
            at = _space(text, at + 1)
        elif not text.startswith("}", at):
            raise ValueError(f"expected a comma or the end of an object at character {at:,}")


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _decoder().raw_decode(text, at)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


@cache
def _strict() -> json.JSONDecoder:
    """To make one takes longer than to read a short text."""
    return json.JSONDecoder(parse_constant=_refused, parse_float=_finite)


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(strict=False)


def _space(text: str, at: int) -> int:
    """Where the next character stands that is no white space."""
    while at < len(text) and text[at] in " \t\n\r":
        at += 1
    return at


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word} is too large")
    return value
