"""How readers write what they found as Markdown, by whose headings, blocks and fences it is then cut."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LEVEL = 6
_TICKS = re.compile(r"`{3,}")
_MARK = re.compile(r"(?m)^(?=[ ]{0,3}#{1,6}[ \t])")


def as_heading(level: int, text: str) -> str:
    """A heading on one line; nothing where it has no words."""
    words = " ".join(text.split())
    return f"{'#' * max(1, min(level, MAX_LEVEL))} {words}" if words else ""


def as_text(text: str) -> str:
    """Text of a document, none of whose lines is taken for a heading."""
    return _MARK.sub(r"\\", text) if "#" in text else text


def as_code(text: str, name: str = "") -> str:
    """Text that is kept as it stands, code above all; `name` says what it is."""
    fence = "`" * (1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=2))
    body = text.strip("\n")
    return f"{fence}{name}\n{body}\n{fence}"


def as_row(cells: Iterable[str]) -> str:
    """A row of a table on one line."""
    return " | ".join(" ".join(cell.split()) for cell in cells)


def as_blocks(blocks: Iterable[str]) -> str:
    """The blocks that have text, with a blank line between them."""
    return "\n\n".join(stripped for block in blocks if (stripped := block.strip("\n")).strip())
