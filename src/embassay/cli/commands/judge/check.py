from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode

if TYPE_CHECKING:
    from embassay.evaluate.judge.check import Report

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[Path, typer.Argument(help="Judged data.", metavar="JUDGED_DIR")],
    split: common.SplitOption = None,
    json: common.JsonOption = False,
) -> None:
    """Can a judged set be trusted, and how small a difference can it show?

    Exit code 1 when something makes its figures wrong: queries shared with another split, judgments of documents that
    are not there.

    \b
    embassay judge check judged/
    embassay judge check judged/ --split dev --json
    """
    from embassay.evaluate.judge.check import check

    report = check(judged, split)
    if json:
        common.print_json(report.to_dict())
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _show(report: Report) -> None:
    from rich.text import Text

    out = common.console()
    out.print(
        f"[bold]{report.name}[/bold] · {report.queries:,} queries, {report.documents:,} documents, "
        f"{report.judgments:,} judgments ({report.relevant_per_query:.1f} relevant a query)"
    )
    made = ", ".join(f"{count:,} {source}" for source, count in report.sources.items())
    out.print(f"  queries made from       {made}", markup=False)
    out.print(f"  words in the answer     {report.overlap:.0%} of a query's telling words; {report.copied:.0%} copied")
    out.print(f"  judged                  {report.judged_at_10:.0%} of the first ten BM25 hits")
    for what, least in report.detectable.items():
        shown = "nothing: too few queries" if least is None else f"a difference of {least:.3f} nDCG@10 or more"
        out.print(f"  able to show            {shown}, for {what} (80 % power)")
    for finding in report.findings:
        line = Text(f"{finding.level}: ", "bold red" if finding.level == "problem" else "yellow")
        out.print(line.append(f"{finding.message}.", "not bold default"))
        for example in finding.examples:
            out.print(f"  {example[:150]}", markup=False, style="dim")
    if report.ok:
        out.print(
            "Usable, with the warnings above." if report.findings else "Nothing to complain about.", style="green"
        )
