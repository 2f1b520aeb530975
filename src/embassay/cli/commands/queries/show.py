from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common
from embassay.cli.tables import facts, table

if TYPE_CHECKING:
    from embassay.sets.log.entry import LoggedQuery


def command(
    search: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[ID]", help="The id of a search; default: the last one."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show one search of the query log: what was asked, what was found, and what was said of it.

    \b
    embassay queries show
    embassay queries show 276dd48ea7c8d863 --json
    """
    with common.opened_home(home) as opened:
        log = opened.query_log
        found = log.entry(search) if search else log.last()
    if json:
        common.print_json(found.to_dict())
    else:
        _show(found)


def _show(entry: LoggedQuery) -> None:
    out = common.console()
    form = {"kept": "", "hashed": "  (a hash: the text was not kept)", "cut": " … (only its head was kept)"}[entry.form]
    rows = [
        ("search", entry.id),
        ("query", f"{entry.query}{form}"),
        ("asked", datetime.fromtimestamp(entry.asked).isoformat(" ", "seconds")),
        ("set", entry.set),
        ("space", entry.space),
        ("pipeline", entry.pipeline),
        ("took", f"{entry.took_ms:.0f} ms"),
    ]
    rows += [(given.kind, given.document or "the answer") for given in entry.feedback]
    out.print(facts(rows))
    if entry.hits:
        hits = [
            (f"{hit.rank}", hit.place, "   ".join(f"{arm} #{s.rank} ({s.score:.3f})" for arm, s in hit.arms.items()))
            for hit in entry.hits
        ]
        out.print(table(("hit", "place", "arms"), hits, left=("arms",), wrap=("place",)))
