"""What `migrate --probe` prints: the comparison of the three ways, and what each takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embassay.cli import common, progress, verdicts, words
from embassay.cli.tables import line, table

if TYPE_CHECKING:
    from embassay.evaluate.migration.price import Outlay
    from embassay.evaluate.migration.probe import MigrationProbe


def run(name: str, to: str, judged: Path, precision: str | None, home: Path | None, *, json: bool) -> None:
    """Probe, and print what was found. Raises as `embassay.probe` does."""
    from embassay.evaluate.migration.probe import probe

    with progress.bar(None) as bar:
        found = probe(name, to, judged, home=home, precision=precision, advance=bar, started=bar.expect)
    if json:
        common.print_json(found.to_dict())
    else:
        show(found, judged)


def show(found: MigrationProbe, judged: Path | None = None) -> None:
    """Quality with intervals, costs, and where the two ways to the new model cost the same."""
    out = common.console()
    out.print(line((found.set, "bold"), f" -> {found.space}"))
    if found.notice:
        out.print(found.notice, style="yellow")
    verdicts.show(found.comparison, judged)
    out.print()
    rows = [
        _row("re-index, once", found.reindex),
        _row("cascade, a query", found.cascade),
        _row("the same, kept", found.remembered),
        _row("this probe", found.spent),
    ]
    out.print(table(("what it takes", "texts", "tokens", "money", "time", "vectors"), rows))
    out.print(_said(found))


def _row(name: str, takes: Outlay) -> list[str]:
    size = words.size(takes.bytes) if takes.bytes else ""
    money, time = words.dollars(takes.usd), words.duration(takes.seconds)
    return [name, f"{takes.texts:,.0f}", f"{takes.tokens:,.0f}", money, time, size]


def _said(found: MigrationProbe) -> str:
    parts = []
    if found.break_even:
        queries = f"{found.break_even:,} {'query' if found.break_even == 1 else 'queries'}"
        parts.append(f"A re-index takes no more than {queries} of a cascade that keeps nothing.")
    point = found.price_of_a_point
    if point is not None:
        money = "" if not point.usd else f" and {words.dollars(point.usd)}"
        metric = found.comparison.metrics[0]
        parts.append(f"Each 0.01 {metric} that it gains takes {words.duration(point.seconds)}{money}.")
    return " ".join(parts)
