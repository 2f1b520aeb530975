from __future__ import annotations

from typing import Annotated

import typer

from embassay import remedy
from embassay.cli import common, words

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    yes: common.YesOption = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Delete a set with its vectors. The files that it was made of stay where they are.

    It is refused while another process writes the set. What was embedded by a hosted model stays in the cache.

    \b
    embassay sets delete old
    embassay sets delete old --yes
    """
    with common.opened_home(home) as opened:
        there = opened.delete_set(name, dry_run=True)
        if not yes:
            held = f"{words.count(there.documents, 'document')}, {words.count(there.chunks, 'chunk')}"
            common.confirm(f"Delete set {name} ({held})?", remedy.command("sets delete", name, yes=True))
        gone = opened.delete_set(name)
    if json:
        common.print_json(gone.to_dict())
    else:
        chunks = words.count(gone.chunks, "chunk")
        common.console().print(f"Deleted set {name}: {words.count(gone.documents, 'document')}, {chunks}.")
