from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common, watching

MOST_SHOWN = 100


def command(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended, and why.")] = False,
    set_name: common.OneSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """List the alerts that are on: what they are about, since when, and the next step. Nothing is read anew.

    \b
    embassay monitor alerts
    embassay monitor alerts --all --json
    """
    with common.opened_home(home) as opened:
        if set_name:
            opened.set(set_name).space()
        found = opened.monitoring.alerts(set_name or None, on=not everything, limit=MOST_SHOWN)
    if json:
        common.print_json({"alerts": [one.to_dict() for one in found]})
        return
    for one in found:
        watching.show_alert(one, of_set=True)
    if not found:
        common.console().print("No alert is on." if not everything else "There was no alert yet.")
