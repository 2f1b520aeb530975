from __future__ import annotations

from embassay.cli import common


def command(home: common.HomeOption = None, json: common.JsonOption = False) -> None:
    """Delete what is beyond the bounds of the configuration (max_entries, max_days), which logging does on its own.

    \b
    embassay queries prune
    """
    with common.opened_home(home) as opened:
        log = opened.query_log
        gone, kept = log.prune(), log.count()
    if json:
        common.print_json({"removed": gone, "count": kept})
    else:
        common.console().print(f"{gone:,} removed; {kept:,} kept.")
