"""What commands that embed documents into a set have in common: a home with a bar, and what is said at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.cli import common, words
from embassay.cli.progress import Bar

if TYPE_CHECKING:
    from embassay.home import Home
    from embassay.sets.build.report import IndexReport
    from embassay.sets.records.report import RecordsReport

LISTED = 10
"""Files, rows, or reasons, that are shown of each kind; --json has more."""


@contextmanager
def run_in(home: Path | None) -> Iterator[Home]:
    """The home, made where it is missing, with a bar for the work that is done in the block. Raises as Ctrl-C does,
    with what the person who stopped it wants to know."""
    with common.opened_home(home, create=True) as opened, Bar("chunk") as bar, bar.follow(opened.session.events):
        try:
            yield opened
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; what was embedded is kept: run the same command to go on.") from None


def waiting(set_name: str, chunks: int) -> str:
    """A sentence on chunks that no rule has had embedded, with the command that does."""
    found = remedy.command("index", set=set_name).in_shell()
    verb, they = ("waits", "it is") if chunks == 1 else ("wait", "they are")
    return f"{words.count(chunks, 'chunk')} {verb}: {they} found by words only until `{found}`."


def embedded(report: IndexReport | RecordsReport) -> str:
    """A sentence on what was embedded, how fast, and for how much."""
    rate = f" ({report.embedded / report.seconds:,.0f}/s)" if report.embedded and report.seconds else ""
    cached = f", {report.cached:,} of them from the cache," if report.cached else ""
    paid = "" if report.usd == 0 else f", {words.dollars(report.usd)} paid"
    return (
        f"{words.count(report.embedded, 'chunk')} embedded{cached} in {report.seconds:.1f} s{rate}{paid}; "
        f"the set holds {report.chunks:,}."
    )
