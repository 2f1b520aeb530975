"""Numbers, sizes, times and paths in the words of the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import text
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.types import Hit

SHOWN_OTHERS = 5
"""Places that a hit stands for and that are printed."""

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
"""Of each unit in which a time can be given."""


count, size, dollars, share, duration = text.count, text.size, text.dollars, text.share, text.duration
"""As reports and pages have them."""


def seconds_of(said: str, name: str) -> float:
    """The seconds that ``45s``, ``30m``, ``12h``, ``7d`` or ``2w`` say. Raises UsageError, which names the option."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", said.strip(), re.ASCII)
    if not found:
        raise UsageError(f"{name} is {said[:20]!r}; it must be a time, such as 45s, 30m, 12h, 7d or 2w.")
    return float(found[1]) * SECONDS[found[2]]


def amount_of(said: str, name: str) -> int:
    """The whole number above 0 that ``600``, ``50k`` or ``1.5M`` say. Raises UsageError, which names the option."""
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)([kKmM]?)", said.strip(), re.ASCII)
    amount = float(found[1]) * {"": 1, "k": 1e3, "m": 1e6}[found[2].lower()] if found else 0.0
    if amount < 1 or amount > 1e12 or amount != int(amount):
        raise UsageError(f"{name} is {said[:20]!r}; it must be a whole number above 0, such as 600, 50k or 1M.")
    return int(amount)


def share_of(said: str, name: str) -> float:
    """The share that ``10%`` or ``-2.5%`` say: 0.1, -0.025. Raises UsageError, which names the option."""
    found = re.fullmatch(r"([+-]?\d{1,6}(?:\.\d{1,9})?)\s?%", said.strip(), re.ASCII)
    if not found:
        raise UsageError(f"{name} is {said[:20]!r}; it must be a percentage, such as 10% or -2.5%.")
    return float(found[1]) / 100


def stored_path(path: str | Path, root: Path) -> str:
    """As a path is kept: relative to `root` where it lies inside, because a home may move with its project."""
    absolute, base = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else str(absolute)


def shown_path(path: str, root: Path) -> str:
    """A path that is stored relative to `root`, as it is reached from the working folder."""
    file = os.path.join(os.path.abspath(root), path)
    relative = os.path.relpath(file)
    return relative if not relative.startswith(os.path.join("..", "..", "..")) else file


def part_of(said: str, name: str) -> float:
    """``5%`` or ``0.05`` as a number from 0 to 1. Raises UsageError that names the option."""
    try:
        part = float(said.rstrip("% ")) / (100 if said.strip().endswith("%") else 1)
    except ValueError:
        part = -1
    if not 0 <= part <= 1:
        raise UsageError(f"{name} {said!r} is no share.", remedy="Write 5% or 0.05.")
    return part


COUNTS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
"""Of each letter behind a number."""
MOST = 10**12


def number_of(said: str, name: str) -> int:
    """``10M``, ``250k`` or ``1,000,000`` as a whole number from 1. Raises UsageError that names the option."""
    match = re.fullmatch(
        r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([kmb]?)", said.replace(",", "").replace("_", "").strip().lower()
    )
    number = round(float(match[1]) * COUNTS[match[2]]) if match else 0
    if not 1 <= number <= MOST:
        raise UsageError(f"{name} {said[:40]!r} is no number of them.", remedy="Write 250000, 250k or 10M.")
    return number


def also_at(hit: Hit, root: Path) -> str:
    """Where else that was found which a hit stands for: lines of its document, and places in others that repeat it."""
    shown = hit.more[:SHOWN_OTHERS]
    own = [str(other.chunk.lines[0]) for other in shown if other.chunk.document == hit.chunk.document]
    others = [
        f"{shown_path(other.chunk.path, root)}:{other.chunk.lines[0]}"
        for other in shown
        if other.chunk.document != hit.chunk.document
    ]
    lines = [f"{'line' if len(own) == 1 else 'lines'} {', '.join(own)}"] if own else []
    further = f" and {len(hit.more) - len(shown):,} more" if len(hit.more) > len(shown) else ""
    return "also at " + ", ".join([*lines, *others]) + further
