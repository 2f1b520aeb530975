from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common
from embassay.cli.tables import table
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.sets.log.entry import LoggedQuery


def command(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many, the newest first.")] = 20,
    set_name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--set", metavar="NAME", help="Only searches of this set; default: all."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """List what was searched for, the newest first.

    \b
    embassay queries list
    embassay queries list --set docs -n 100 --json
    """
    if limit < 1:
        raise UsageError(f"limit is {limit}; at least one search can be listed.")
    with common.opened_home(home) as opened:
        log = opened.query_log
        state, count = log.config.queries, log.count()
        found = list(log.entries(set_name, limit))
    if json:
        common.print_json({"query_log": state, "count": count, "searches": [entry.to_dict() for entry in found]})
        return
    out = common.console()
    if found:
        names = ("id", "when", "set", "query", "hits", "ms", "feedback")
        out.print(table(names, map(_row, found), left=("when", "set", "feedback"), wrap=("query",)))
    out.print(f"{len(found):,} of {count:,}. The query log is {state}.")


def _row(entry: LoggedQuery) -> tuple[str, ...]:
    when = datetime.fromtimestamp(entry.asked).strftime("%Y-%m-%d %H:%M:%S")
    query = f"#{entry.query[:12]}" if entry.form == "hashed" else entry.query
    said = ", ".join(f"{given.kind} {given.document}".strip() for given in entry.feedback)
    return entry.id, when, entry.set, query, f"{len(entry.hits):,}", f"{entry.took_ms:.0f}", said
