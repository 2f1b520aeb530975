from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common, watching
from embassay.cli.exits import ExitCode
from embassay.monitor.base import When


def command(
    daily: Annotated[
        bool, typer.Option("--daily", help="Also what asks models and searches: the canaries, and the saved queries.")
    ] = False,
    set_name: common.OneSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Read the signals of all sets, or of one, keep what they said, and open and end alerts by it.

    Exit code 1 when an alert is on; each names the next step. Any number of checks may run at once.

    \b
    embassay monitor check
    embassay monitor check --daily --set docs --json
    """
    from embassay.monitor.monitor import check_all
    from embassay.monitor.webhook import checked_webhook, deliver

    when: tuple[When, ...] = ("often", "daily") if daily else ("often",)
    with common.opened_home(home) as opened:
        address = checked_webhook(opened.session.config)
        found = check_all(opened, when, set_name or None)
        if json:
            alarming = any(one.is_alarming for one in found)
            common.print_json({"alarming": alarming, "sets": [one.to_dict() for one in found]})
        else:
            for one in found:
                watching.show_check(one)
        if address and not any(one.unkept for one in found):
            deliver(opened.monitoring, address)
    common.tell(sorted({f"Nothing of it was kept: {one.unkept}" for one in found if one.unkept}))
    if any(one.is_alarming for one in found):
        raise typer.Exit(ExitCode.FAILED)
