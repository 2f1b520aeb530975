from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.monitor.monitor import NamedReading

COLOURS = {"ok": "green", "warn": "yellow", "alert": "bold red", "unknown": "dim"}


def command(
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Read the signals of a set, and say what to do where one alerts; exit code 1 then.

    \b
    embassay monitor check
    embassay monitor check --set docs --json
    """
    from embassay.monitor.monitor import Monitor

    with common.opened_home(home) as opened:
        name = set_name or opened.default_set
        found = Monitor(opened, name).read()
    if json:
        common.print_json({"set": name, "readings": [one.to_dict() for one in found]})
    else:
        for one in found:
            _show(one)
    if any(one.reading.state == "alert" for one in found):
        raise typer.Exit(ExitCode.FAILED)


def _show(one: NamedReading) -> None:
    out, reading = common.console(), one.reading
    out.print(line((f"{reading.state:8}", COLOURS[reading.state]), f"{one.title}: {reading.evidence}"))
    if reading.remedy:
        out.print(line(f"        {reading.remedy.in_shell()}"))
