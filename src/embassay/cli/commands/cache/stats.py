from __future__ import annotations

from embassay.cli import common, words
from embassay.cli.tables import line


def command(home: common.HomeOption = None, json: common.JsonOption = False) -> None:
    """Show how much is cached, and how often it helped.

    \b
    embassay cache stats
    embassay cache stats --json
    """
    with common.opened_session(home) as session:
        stats = session.models.cache.stats()
    if json:
        common.print_json(stats.to_dict())
        return
    out = common.console()
    out.print(line((str(stats.path), "dim")))
    rate = (
        "never asked"
        if stats.hit_rate is None
        else f"{stats.hit_rate:.0%} of {stats.hits + stats.misses:,} look-ups found"
    )
    out.print(f"{words.count(stats.entries, 'vector')}, {words.size(stats.bytes)}; {rate}.")
