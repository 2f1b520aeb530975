"""How what compression costs is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.cli import common
from embassay.cli.tables import line, table, text
from embassay.compress.measuring import CANDIDATES, RECALLED
from embassay.text import printable

if TYPE_CHECKING:
    from rich.text import Text

    from embassay.compress.result import Compression, SchemeRow


def show(found: Compression) -> None:
    """The table of all schemes, and what is proposed."""
    out, metric = common.console(), found.metrics[0]
    about = f" · {found.space} · {found.chunks:,} chunks · {len(found.judged.queries):,} queries, dense search alone"
    out.print(line((found.set, "bold"), printable(about)))
    names = ("scheme", "bytes", f"R@{RECALLED}", metric, "loss, 95 %", "rescored", "scan ms", "")
    out.print(table(names, [_cells(row, found) for row in found.rows], left=("",)))
    out.print(
        text(
            f"R@{RECALLED}: of the nearest chunks by the stored vectors. Rescored: {metric} where those order again "
            f"the first {CANDIDATES} that a scheme finds. Scan ms: one query held against the codes of all chunks in "
            "memory, by one thread. *: nothing as small is better. -: not kept by the store, scanned by numpy.",
            "dim",
        )
    )
    word = "Proposed. " if found.proposal else "Nothing is proposed. "
    out.print(text(word, "bold green" if found.proposal else "bold yellow").append(found.sentence, "not bold default"))
    for name in found.proposal.refused if found.proposal else ():
        out.print(text(f"{name} is smaller, and held on the half that chose alone.", "dim"))
    if found.caution:
        out.print(text(found.caution, "yellow"))


def _cells(row: SchemeRow, found: Compression) -> list[str | Text]:
    metric, proposed = found.metrics[0], found.proposed
    loss = "" if row is found.stored else f"{row.loss.mean:+.3f} ({row.loss.low:+.3f} {row.loss.high:+.3f})"
    mark = ("*" if row.foremost else "") + ("-" if row.unkept else "")
    chosen = proposed is not None and row.name == proposed.name
    return [
        text(row.name, "bold green" if chosen else ""),
        f"{row.bytes:g}",
        f"{row.recall:.3f}",
        f"{row.metrics[metric]:.3f}",
        loss,
        f"{row.rescored[metric]:.3f}",
        f"{row.scan_ms:.2f}",
        mark,
    ]
