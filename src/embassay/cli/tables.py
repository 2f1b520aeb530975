"""Tables and lines for a terminal, in which nothing that documents or users wrote is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from embassay.text import printable

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

WIDE = 110
"""Columns of a terminal from which on everything stands in one table, and on one line."""
FIRST = 14
"""Columns of the terminal that the name of a row has at least, where it is as long."""


def table(
    names: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    left: Sequence[str] = (),
    wrap: Sequence[str] = (),
    title: str = "",
) -> Table:
    """Rows under the names of their columns. The first column says what a row is about.

    Columns hold numbers, set to the right; the first one, those of `left` and those of `wrap` hold words. The first
    column and those of `wrap` break their words where the terminal is narrow; the others need their width.
    """
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title=title or None,
        title_justify="left",
        title_style="dim",
    )
    cells = [[text(printable(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]
    first = min(FIRST, max((len(row[0]) for row in cells), default=0))
    for at, name in enumerate(names):
        free = at == 0 or name in wrap
        side: Any = "left" if free or name in left else "right"
        made.add_column(name, justify=side, no_wrap=not free, overflow="fold", min_width=None if at else first)
    for row in cells:
        made.add_row(*row)
    return made


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """What is known of one thing: a name and a value in each row."""
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(text(printable(name)), text(printable(value)))
    return made


def indented(words: Text, by: int) -> Padding:
    """Lines that all begin so many columns in, however they are broken."""
    from rich.padding import Padding

    return Padding(words, (0, 0, 0, by), expand=False)


def text(words: str, style: str = "") -> Text:
    """Words that are no markup. Their line breaks are kept: `printable` makes one line of them."""
    from rich.text import Text

    return Text(printable(words, lines=True), style)


def line(*parts: str | tuple[str, str]) -> Text:
    """Words on one line, one after the other, each plain or styled: ``line(("docs", "bold"), " holds 3 files.")``."""
    from rich.text import Text

    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((printable(words), style) for words, style in styled))
