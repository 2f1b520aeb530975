from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common, words
from embassay.cli.progress import Bar
from embassay.cli.switched import KeepOption, WhyOption, tell

NEEDS_ARGUMENTS = True


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    keep: KeepOption = "7d",
    why: WhyOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make the generation live again that was it before the last switch. What was written since is brought along.

    Documents that its model cannot embed now are found by words only, and it says how many those are. Called twice it
    leads back to where it began.

    \b
    embassay rollback docs
    embassay rollback docs --why "clicks went down"
    """
    kept = words.seconds_of(keep, "keep") / words.SECONDS["d"]
    with common.opened_home(home) as opened, Bar() as bar, bar.follow(opened.session.events):
        done = opened.set(set_name).rollback(keep_days=kept, why=why)
    tell(done, json=json)
