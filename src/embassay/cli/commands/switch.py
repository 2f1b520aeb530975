from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common, trials, words
from embassay.cli.progress import Bar
from embassay.cli.switched import KeepOption, WhyOption, tell

NEEDS_ARGUMENTS = True


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    to: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--to", metavar="GENERATION", help="Which generation; default: the one that was built."),
    ] = None,
    keep: KeepOption = "7d",
    force: Annotated[
        bool, typer.Option("--force", help="Also to one that is built and failed its checks; needs --why.")
    ] = False,
    why: WhyOption = "",
    trial: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TIME", help="Watch it for so long, and then keep it or go back: 3d, 2w."),
    ] = None,
    keep_above: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="PERCENT", help="A trial keeps what is better by this share; -2% may be worse by 2 %."),
    ] = None,
    revert_below: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="PERCENT", help="A trial goes back where the new one is worse by this share: 5%."),
    ] = None,
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="The judged set of a trial; default: that of the migration's gate."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make the generation live that a migration has built and proven. Searches go on, on the old one or the new one.

    It waits for whoever writes the set. The old generation is kept for a while and written as well, so that
    `embassay rollback` loses nothing; after that `embassay gc` removes it.

    With --trial the old one is kept until the trial is decided: by `embassay trial`, once the time is over, on the
    judged set and the feedback in the query log. Thresholds are shares of what the old generation reaches (default 0%),
    and one is passed where the whole 95 % interval of the difference lies beyond it. --keep counts from the decision.

    \b
    embassay switch docs
    embassay switch docs --keep 2w
    embassay switch docs --trial 7d --keep-above 10% --revert-below 5%
    embassay switch docs --trial 14d --keep-above -2% --judged judged/
    embassay switch docs --force --why "the failed check is of an old release"
    """
    kept = words.seconds_of(keep, "keep") / words.SECONDS["d"]
    with common.opened_home(home) as opened, Bar() as bar, bar.follow(opened.session.events):
        terms = trials.terms(opened, trial, keep_above, revert_below, judged)
        done = opened.set(set_name).switch(to, keep_days=kept, force=force, why=why, trial=terms)
    tell(done, json=json)
