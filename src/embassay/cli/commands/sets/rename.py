from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    new: Annotated[str, typer.Argument(help="Its new name.", metavar="NEW")],
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Give a set another name. If it was chosen as the default, it stays so.

    \b
    embassay sets rename docs handbook
    """
    with common.opened_home(home) as opened:
        opened.rename_set(name, new)
    if json:
        common.print_json({"set": new, "before": name})
    else:
        common.console().print(f"{name} is called {new} now.")
