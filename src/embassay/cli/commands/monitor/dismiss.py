from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common
from embassay.cli.tables import line


def command(
    alert: Annotated[int, typer.Argument(metavar="ID", help="The number of an alert, as monitor alerts shows it.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why it was no alarm; kept with it.")] = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Mark an alert as false: it ends, and its signal tolerates more of this set in its space from then on.

    \b
    embassay monitor alerts
    embassay monitor dismiss 3 --why "the holiday quiz"
    """
    from embassay.monitor.monitor import Monitor

    with common.opened_home(home) as opened:
        tables = opened.monitoring
        of_set = tables.alert(alert)
        ended = Monitor(opened, of_set.set_name).dismiss(alert, why)
        tolerance = tables.tolerances(ended.set_name, ended.space)[ended.signal]
    if json:
        common.print_json({**ended.to_dict(), "tolerance": tolerance})
        return
    whose = f"{ended.signal} of set {ended.set_name}"
    said = f"Alert {ended.id} was no alarm: {whose} tolerates {tolerance:.1f} times as much."
    common.console().print(line(said))
