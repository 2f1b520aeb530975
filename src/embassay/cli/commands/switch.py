from __future__ import annotations

from typing import Annotated, Optional

import typer

from embassay.cli import common, words
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
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make the generation live that a migration has built and proven. Searches go on, on the old one or the new one.

    It waits for whoever writes the set. The old generation is kept for a while and written as well, so that
    `embassay rollback` loses nothing; after that `embassay gc` removes it.

    \b
    embassay switch docs
    embassay switch docs --keep 2w
    embassay switch docs --force --why "the failed check is of an old release"
    """
    kept = words.seconds_of(keep, "keep") / words.SECONDS["d"]
    with common.opened_home(home) as opened:
        done = opened.set(set_name).switch(to, keep_days=kept, force=force, why=why)
    tell(done, json=json)
