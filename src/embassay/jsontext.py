"""JSON as the standard has it: neither written nor read with NaN or infinity, which other programs cannot read."""

from __future__ import annotations

import json
from typing import Any


def dumps(data: Any, *, ascii_only: bool = False, indent: int | None = None, sort_keys: bool = False) -> str:
    """`data` as JSON. Raises ValueError for NaN and infinity, TypeError for what JSON has no word for."""
    return json.dumps(data, ensure_ascii=ascii_only, indent=indent, sort_keys=sort_keys, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """What JSON text says. Raises ValueError for text that is none, for NaN, for numbers beyond a float, and for
    nesting that is too deep."""
    try:
        return json.loads(text, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if value in (float("inf"), -float("inf")):
        raise ValueError(f"{word} is too large")
    return value
