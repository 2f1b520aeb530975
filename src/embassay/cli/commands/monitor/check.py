from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common, watching
from embassay.cli.exits import ExitCode
from embassay.monitor.base import When


def command(
    daily: Annotated[
        bool, typer.Option("--daily", help="Also what asks models and searches: the canaries, and the saved queries.")
    ] = False,
    baseline: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Hold one set against the baseline of a file, from now on."),
    ] = None,
    set_name: common.OneSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Read the signals of all sets, or of one, keep what they said, and open and end alerts by it.

    Exit code 1 when an alert is on; each names the next step. Any number of checks may run at once.

    \b
    embassay monitor check
    embassay monitor check --daily --set docs --json
    embassay monitor check --daily --baseline baseline.json
    """
    from embassay.monitor.baseline_file import take_baseline
    from embassay.monitor.monitor import Monitor, check_all
    from embassay.monitor.webhook import checked_webhook, deliver

    when: tuple[When, ...] = ("often", "daily") if daily else ("often",)
    with common.opened_home(home) as opened:
        address = checked_webhook(opened.session.config)
        if baseline is not None:
            set_name = set_name or opened.default_set
            take_baseline(Monitor(opened, set_name), baseline)
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
