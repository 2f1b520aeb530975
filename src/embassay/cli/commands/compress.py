from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, migrations, progress, runs
from embassay.cli.exits import ExitCode
from embassay.errors import UsageError

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
    embassay compress --set docs --judged judged/ --apply
    embassay compress --set docs --coarse 64
    """
    if (judged is None) == (coarse is None):
        raise UsageError("say what to measure on, or what to make: --judged DIR, or --coarse N.", remedy=_EXAMPLE)
    if coarse is not None:
        _make_coarse(set_name, coarse, home, json=json)
        return
    assert judged is not None
    from embassay.cli import compressions
    from embassay.compress.opening import METRICS, compress
    from embassay.compress.opening import apply as applied
    from embassay.evaluate.data.judged import read_judged

    data = read_judged(judged, split)
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
    status = None
    if apply and found.proposal:
        with runs.run_in(home) as opened:
            status = applied(opened, found)
    if json:
        common.print_json(found.to_dict() | {"applied": status.to_dict() if status else None})
    else:
        compressions.show(found)
        if status:
            migrations.show_status(status, json)
        elif found.proposal:
            common.console().print("Nothing was changed; the same with --apply makes it so.")
    if status and status.state == "failed":
        raise typer.Exit(ExitCode.GATE_FAILED)


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
