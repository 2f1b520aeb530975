from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common, words
from embassay.cli.keys import facts_of, opened_keys, show_new

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="The key.", metavar="NAME")],
    grace: Annotated[
        str, typer.Option(metavar="TIME", help="For how long the secret before is good as well, such as 1h.")
    ] = "0s",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Give a key another secret, and show it this once. What it may do, its limits and its spend stay.

    \b
    embassay keys rotate ci --grace 1h
    """
    seconds = words.seconds_of(grace, "grace")
    with opened_keys(home) as store:
        key, token = store.rotate(name, seconds)
    if json:
        common.print_json({"key": token} | facts_of(key))
        return
    then = f"for {words.duration(seconds)} more" if seconds else "no more"
    show_new(token, f"The key {name} has another secret, shown this once; the one before is good {then}:")
