from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import table, text

if TYPE_CHECKING:
    from embassay.sets.description import SetDescription


def command(home: common.HomeOption = None, json: common.JsonOption = False) -> None:
    """List the sets of the home. A star marks the one that is meant where no set is named.

    \b
    embassay sets list
    embassay sets list --json
    """
    with common.opened_home(home) as opened:
        sets, folder = opened.describe_all(), str(opened.folder)
    if json:
        common.print_json({"home": folder, "sets": [one.to_dict() for one in sets]})
        return
    out = common.console()
    out.print(text(folder, "dim"))
    out.print(table(("set", "space", "docs", "chunks", "size"), [_row(one) for one in sets], left=("space",)))


def _row(one: SetDescription) -> list[str]:
    name = f"{one.set}{' *' if one.is_default else ''}"
    space = f"view of {one.view.parent}" if one.view else one.space
    return [name, space, f"{one.documents:,}", f"{one.chunks:,}", words.size(one.bytes)]
