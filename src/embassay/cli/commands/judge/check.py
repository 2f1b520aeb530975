from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.tables import facts, line

if TYPE_CHECKING:
    from embassay.evaluate.judge.check import JudgedReport

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
    from embassay.evaluate.judge.check import check_judged_set

    report = check_judged_set(judged, split)
    if json:
        common.print_json(report.to_dict())
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _show(report: JudgedReport) -> None:
    out = common.console()
    judgments = f"{report.judgments:,} judgments ({report.relevant_per_query:.1f} relevant a query)"
    counts = f" · {report.queries:,} queries, {report.documents:,} documents, {judgments}"
    out.print(line((report.name, "bold"), counts))
    out.print(facts(_facts(report)))
    for finding in report.findings:
        level = (f"{finding.level}: ", "bold red" if finding.level == "problem" else "yellow")
        out.print(line(level, f"{finding.message}."))
        for example in finding.examples:
            out.print(line((f"  {example[:150]}", "dim")))
    if report.ok:
        out.print(
            "Usable, with the warnings above." if report.findings else "Nothing to complain about.", style="green"
        )


def _facts(report: JudgedReport) -> Iterator[tuple[str, str]]:
    yield "queries made from", ", ".join(f"{count:,} {source}" for source, count in report.sources.items())
    yield "words in the answer", f"{report.overlap:.0%} of a query's telling words; {report.copied:.0%} copied"
    yield "judged", f"{report.judged_at_10:.0%} of the first ten BM25 hits"
    for what, least in report.detectable.items():
        shown = "nothing: too few queries" if least is None else f"a difference of {least:.3f} nDCG@10 or more"
        yield "able to show", f"{shown}, for {what} (80 % power)"
