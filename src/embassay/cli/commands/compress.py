from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, migrations, progress, runs
from embassay.cli.exits import ExitCode
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.compress.result import Compression
    from embassay.sets.migration.status import MigrationStatus

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--judged", metavar="DIR", help="Judged data of the set, as embassay judge new makes it."),
    ] = None,
    set_name: Annotated[Optional[str], typer.Option("--set", metavar="NAME", help="The set.")] = None,  # noqa: UP045
    max_loss: Annotated[
        float, typer.Option("--max-loss", metavar="X", help="What may be lost of the metric, on the queries held out.")
    ] = 0.01,
    sure: Annotated[
        bool,
        typer.Option("--sure", help="The upper bound of the loss has to be within --max-loss, not the mean alone."),
    ] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", metavar="M", help="A metric; repeat it for more, the first decides. Default: nDCG@10."
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make a generation of what is proposed, and switch to it.")
    ] = False,
    coarse: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--coarse", metavar="N", help="Only have it searched in two stages: coarse vectors of N dimensions."
        ),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write a report for a browser, in one HTML file."),
    ] = None,
    split: common.SplitOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """What fewer bytes a vector would cost on your data, and the smallest that costs little enough.

    Every scheme is measured on the vectors that the set has, and on queries that were judged: bytes, recall, the
    metric with its interval, and the same where exact vectors order again what was found. One half of the queries
    chooses, the other one tells the loss. Nothing is changed without --apply; embassay rollback goes back.

    \b
    embassay compress --set docs --judged judged/
    embassay compress --set docs --judged judged/ --max-loss 0.02 --json
    embassay compress --set docs --judged judged/ --report report.html
    embassay compress --set docs --judged judged/ --apply
    embassay compress --set docs --coarse 64
    """
    if (judged is None) == (coarse is None):
        raise UsageError("say what to measure on, or what to make: --judged DIR, or --coarse N.", remedy=_EXAMPLE)
    if coarse is not None:
        if apply or report:
            raise UsageError(
                "--coarse changes no vectors that could be applied, and measures nothing that could be reported.",
                remedy="Leave --apply and --report out.",
            )
        _make_coarse(set_name, coarse, home, json=json)
        return
    assert judged is not None
    from embassay.cli import compressions
    from embassay.compress.opening import METRICS, compress
    from embassay.compress.report import write_report
    from embassay.evaluate.data.judged import read_judged
    from embassay.files import check_writable

    data = read_judged(judged, split)
    if report:
        check_writable(report)
    with common.opened_home(home) as opened, progress.bar(None) as bar:
        found = compress(
            opened,
            opened.set(set_name).name,
            data,
            max_loss=max_loss,
            metrics=tuple(metric or METRICS),
            sure=sure,
            started=bar.expect,
            advance=bar,
        )
    if report:
        write_report(found, report)
        common.messages().print(f"Report: {report}")
    if not json:
        compressions.show(found)
    status = _applied(found, home) if apply else None
    if json:
        common.print_json(found.to_dict() | {"applied": status.to_dict() if status else None})
    elif status:
        migrations.show_status(status, json)
    elif found.proposal:
        common.console().print("Nothing was changed; the same with --apply makes it so.")
    if status and status.state == "failed":
        raise typer.Exit(ExitCode.GATE_FAILED)


def _applied(found: Compression, home: Path | None) -> MigrationStatus | None:
    """A generation of what is proposed, where something is."""
    from embassay.compress.opening import apply

    if not found.proposal:
        return None
    with runs.run_in(home) as opened:
        return apply(opened, found)


def _make_coarse(set_name: str | None, dimensions: int, home: Path | None, *, json: bool) -> None:
    """Have a set searched by coarse vectors first, and say how."""
    with common.opened_home(home) as opened, progress.working("Fitting"):
        of_set = opened.set(set_name)
        space = of_set.fit_coarse(dimensions)
    if json:
        common.print_json({"set": of_set.name, "space": str(space), "space_digest": space.digest})
        return
    say = f"{of_set.name} is searched by {space} first with: --mode two_stage --coarse-dim {dimensions}"
    common.console().print(say)


_EXAMPLE = remedy.command("compress", set="NAME", judged="DIR", say="Example")
