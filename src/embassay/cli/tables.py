"""Tables and lines for a terminal, in which nothing that documents or users wrote is markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from embassay.text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

WIDE = 110
"""Columns of a terminal from which on everything stands in one table, and on one line."""
FIRST, WORDS = 14, 10
"""Columns of the terminal that the name of a row has at least, where it is as long, and that other words have."""


def table(
    names: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    left: Sequence[str] = (),
    wrap: Sequence[str] = (),
    title: str = "",
) -> Fitting:
    """Rows under the names of their columns. The first column says what a row is about.

    Columns hold numbers, set to the right; the first one, those of `left` and those of `wrap` hold words, which break
    where the terminal is narrow. No number ever does: where they do not fit beside each other, each row is a block.
    """
    cells = [[text(printable(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]
    columns = []
    for at, name in enumerate(names):
        lengths = [_length(row[at]) for row in cells if at < len(row)]  # a row may end early
        widest = max([len(name), *lengths])
        if at == 0:
            columns.append(_Column(name, "left", min(FIRST, max(lengths, default=0)), True))
        elif name in wrap or name in left:
            columns.append(_Column(name, "left", min(WORDS, widest), True))
        else:
            columns.append(_Column(name, "right", widest, False))
    return Fitting(columns, cells, title)


def _length(cell: Text) -> int:
    """Characters of the longest line of a cell."""
    return max(map(len, cell.plain.split("\n"))) if "\n" in cell.plain else len(cell)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    side: Literal["left", "right"]
    least: int
    """Columns of the terminal that it needs."""
    wraps: bool


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table where the terminal is wide enough for it, else a block of lines for each row."""

    columns: Sequence[_Column]
    rows: Sequence[Sequence[Text]]
    title: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        least = sum(column.least for column in self.columns) + 2 * len(self.columns)
        widths = self._widths()
        if widths and sum(widths) + 2 * len(widths) <= options.max_width:
            yield from self._lines(widths)
        elif least <= options.max_width:
            yield self._table()
        else:
            yield from self._blocks()

    def _widths(self) -> list[int]:
        """Of the columns, where each row is one line; empty where a row must be laid out."""
        whole = len(self.columns)
        if self.title or any(len(row) != whole or any("\n" in one.plain for one in row) for row in self.rows):
            return []
        names = (text(one.name) for one in self.columns)
        return [max(cell.cell_len for cell in cells) for cells in zip(names, *self.rows, strict=True)]

    def _lines(self, widths: Sequence[int]) -> Iterator[RenderableType]:
        """What `_table` draws, without its measuring of every cell: a list of a thousand rows takes a tenth of it."""
        inner = sum(widths) + 2 * (len(widths) - 1)
        yield ""
        yield self._line([text(one.name, "bold") for one in self.columns], widths)
        yield f" {'─' * inner}"
        for row in self.rows:
            yield self._line(row, widths)
        yield ""

    def _line(self, row: Sequence[Text], widths: Sequence[int]) -> Text:
        made = text("")
        for at, (column, cell, width) in enumerate(zip(self.columns, row, widths, strict=True)):
            missing = " " * (width - cell.cell_len)
            before, after = (missing, "") if column.side == "right" else ("", missing)
            made.append("  " if at else " ").append(before).append_text(cell).append(after)
        return made

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table

        made = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
            title=self.title or None,
            title_justify="left",
            title_style="dim",
        )
        for one in self.columns:
            made.add_column(
                one.name, justify=one.side, no_wrap=not one.wraps, overflow="fold", min_width=one.least or None
            )
        for row in self.rows:
            made.add_row(*row)
        return made

    def _blocks(self) -> Iterator[RenderableType]:
        from rich.padding import Padding

        if self.title:
            yield text(self.title, "dim")
        for row in self.rows:
            yield row[0]
            named = [(one.name, cell) for one, cell in zip(self.columns, row, strict=False)][1:]
            yield Padding(facts((name, cell.plain) for name, cell in named), (0, 0, 0, 2), expand=False)


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
