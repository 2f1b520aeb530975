from __future__ import annotations

from typing import Annotated

import typer

from embassay import remedy
from embassay.cli import common
from embassay.errors import UsageError


def command(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Delete the cache. What it holds has to be made, and paid for, again.

    \b
    embassay cache clear --yes
    """
    import sys

    with common.opened_session(home) as session:
        cache = session.models.cache
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("clearing needs a yes.", remedy=remedy.command("cache clear", yes=True))
            common.confirm(f"Delete {cache.path}?")
        cache.clear()
    if json:
        common.print_json({"path": str(cache.path)})
    else:
        common.console().print(f"Deleted {cache.path}.")
