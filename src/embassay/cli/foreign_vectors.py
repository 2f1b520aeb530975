"""What `doctor` says of vectors that are in no set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from embassay.cli import common, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.columns.doctor.report import VectorReport


def chosen(places: Mapping[str, Path | None], set_name: str) -> tuple[str, Path] | None:
    """The format and the place that were named; None where none was. Raises UsageError for more than one."""
    named = [(format, place) for format, place in places.items() if place is not None]
    if len(named) > 1 or (named and set_name):
        raise UsageError("one thing is examined at a time: sets, or one file or folder of vectors.")
    return named[0] if named else None


def show(report: VectorReport, *, json: bool) -> None:
    """Print what was found. Raises typer.Exit where something is wrong."""
    if json:
        common.print_json(report.to_dict())
    else:
        _print(report)
    if not report.is_well:
        raise typer.Exit(ExitCode.FAILED)


def _print(report: VectorReport) -> None:
    out = common.console()
    out.print(line((report.place, "bold"), f" · {words.count(report.rows, 'row')} · {report.dimensions:,} dimensions"))
    for finding in report.findings:
        out.print(line((finding.level, "red" if finding.level == "problem" else "dim"), f" {finding.message}"))
    cosine = "" if report.least_cosine is None else f", the least cosine is {report.least_cosine:.4f}"
    role = {"": "", "either": ""}.get(report.role, f" as {report.role}")
    made = f"{report.agreeing:,} of {report.compared:,} sampled rows are what {report.space} makes of their texts"
    out.print(f"{made}{role}{cosine}.")
    if report.is_well:
        out.print(line(("nothing wrong.", "green")))
