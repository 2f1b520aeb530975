from __future__ import annotations

from typing import Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common
from embassay.errors import UsageError


def command(
    name: Annotated[Optional[str], typer.Argument(help="The set to choose.", metavar="[SET]")] = None,  # noqa: UP045
    unset: Annotated[bool, typer.Option("--unset", help="Undo the choice.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Choose the set that is meant where no set is named; without a name, say which one that is.

    Without a choice it is the set called default. Where there is none, what only reads takes the one set that there is.

    \b
    embassay sets default
    embassay sets default docs
    embassay sets default --unset
    """
    if name is not None and unset:
        raise UsageError("a set is named and the choice is to be undone.", remedy=remedy.say("Leave one of both out."))
    with common.opened_home(home) as opened:
        if name is not None or unset:
            opened.default_set = name
        meant = opened.default_set
        is_there = opened.holds(meant)
    if not is_there:
        common.tell([f"There is no set {meant!r} yet: index makes it, and searches have to name a set until then."])
    if json:
        common.print_json({"set": meant, "exists": is_there})
    else:
        common.console().print(meant)
