from __future__ import annotations

from embassay import remedy
from embassay.cli import common


def command(
    yes: common.YesOption = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Delete the cache. What it holds has to be made, and paid for, again.

    \b
    embassay cache clear --yes
    """
    with common.opened_session(home) as session:
        cache = session.models.cache
        if not yes:
            common.confirm(f"Delete {cache.path}?", remedy.command("cache clear", yes=True))
        cache.clear()
    if json:
        common.print_json({"path": str(cache.path)})
    else:
        common.console().print(f"Deleted {cache.path}.")
