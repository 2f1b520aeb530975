"""Numbers, times and sizes as the pages show them: the filters of their templates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from embassay.text import count, dollars, duration, moment, share, size


def number(value: float | None, digits: int = 0) -> str:
    """``12,345`` or ``0.734``; a dash for what is not known."""
    return "–" if value is None else f"{value:,.{digits}f}"


def milliseconds(value: float | None) -> str:
    """``0.42 ms``, ``12 ms``, ``3.4 s``."""
    if value is None:
        return "–"
    if value >= 1000:
        return duration(value / 1000)
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def ago(seconds: float | None) -> str:
    """How long a moment, in seconds since 1970, is past."""
    if not seconds:
        return "never"
    past = time.time() - seconds
    if past < -60:
        return f"in {duration(-past)}"
    return "just now" if past < 10 else f"{duration(past)} ago"


def stamp(seconds: float) -> str:
    """A moment as the attribute ``datetime`` has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""


FILTERS: Mapping[str, Callable[..., str]] = {
    "number": number,
    "ms": milliseconds,
    "ago": ago,
    "stamp": stamp,
    "moment": moment,
    "bytes": size,
    "duration": duration,
    "dollars": dollars,
    "share": share,
    "count": count,
}
