from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common
from embassay.cli.keys import facts_of, opened_keys

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="The key.", metavar="NAME")],
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Refuse a key from now on, also by servers that are running. Its name is free for another one.

    \b
    embassay keys revoke ci
    """
    with opened_keys(home) as store:
        key = store.revoke(name)
    if json:
        common.print_json(facts_of(key))
    else:
        common.console().print(f"Revoked the key {name}.")
