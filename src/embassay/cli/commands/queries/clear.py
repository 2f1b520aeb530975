from __future__ import annotations

from embassay import remedy
from embassay.cli import common


def command(
    yes: common.YesOption = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Delete the query log with all feedback, and overwrite where it stood.

    \b
    embassay queries clear --yes
    """
    with common.opened_home(home) as opened:
        log = opened.query_log
        if not yes:
            question = f"Delete the query log, which holds {log.count():,} of your searches?"
            common.confirm(question, remedy.command("queries clear", yes=True))
        gone = log.clear()
    if json:
        common.print_json({"removed": gone})
    else:
        common.console().print(f"Deleted the query log; it held {gone:,} searches.")
