"""Tables and lines for a terminal, in which nothing that documents or users wrote is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(names: Sequence[str], rows: Iterable[Sequence[Any]], left: Sequence[str] = (), title: str = "") -> Any:
    """Names are never markup; the first column wraps, the others need their width."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, title=title or None, title_justify="left")
    for at, name in enumerate(names):
        is_left = at == 0 or name in left
        free = at == 0 or name == "why"
        width = 14 if at == 0 else None
        made.add_column(
            name, justify="left" if is_left else "right", no_wrap=not free, overflow="fold", min_width=width
        )
    for row in rows:
        made.add_row(*(text(visible(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def text(words: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(words, style)


def visible(words: str) -> str:
    """Documents may hold anything, terminal codes as well."""
    return "".join(c if c.isprintable() else " " for c in words)
