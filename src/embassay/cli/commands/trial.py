from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common, progress, trials, words
from embassay.cli.exits import ExitCode
from embassay.errors import UsageError

NEEDS_ARGUMENTS = True
EXITS = {"reverted": ExitCode.GATE_FAILED, "undecided": ExitCode.PAUSED, "blocked": ExitCode.PAUSED}


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Judged data, in place of those that the trial was begun with."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Measure nothing, and decide nothing.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Decide it now: the new generation stays.")] = False,
    extend: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TIME", help="Go on watching for so long, also where it is undecided."),
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="With --keep: why, which the history keeps.")] = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Look at the trial of a set that was switched with --trial, and decide it if its time is over.

    The judged set is asked of the new generation and of the old one; searches that were logged before the switch and
    since are compared by their feedback. Before the trial is due that decides nothing. When it is due the new
    generation is kept, or the old one comes back (exit code 4), or what was observed decides nothing (exit code 5):
    then both stay as they are until you say --keep or --extend, or `embassay rollback`. A trial is decided once, so
    that this can be run as often as you like, for instance every night.

    \b
    embassay trial docs
    embassay trial docs --json
    embassay trial docs --extend 7d
    embassay trial docs --keep --why "nobody has complained"
    """
    if sum((status, keep, extend is not None)) > 1:
        raise UsageError("--status, --keep and --extend cannot be asked for together.", remedy="Give one of them.")
    with common.opened_home(home) as opened:
        of_set = opened.set(set_name)
        if keep:
            found = of_set.keep_trial(why=why)
        elif extend is not None:
            found = of_set.extend_trial(words.seconds_of(extend, "extend") / words.SECONDS["d"])
        elif status:
            found = of_set.trial()
        else:
            from embassay.evaluate.data.judged import read_judged
            from embassay.evaluate.migration.trial import TrialObserver

            given = None if judged is None else read_judged(judged, None)
            with progress.working("Asking the judged queries of both generations"):
                found = of_set.trial(TrialObserver(given))
    trials.show(found, json=json)
    if found.state in EXITS:
        raise typer.Exit(EXITS[found.state])
