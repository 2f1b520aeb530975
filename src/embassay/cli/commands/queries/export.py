from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common
from embassay.errors import UsageError

NEEDS_ARGUMENTS = True


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of JSON lines to write; - is stdout.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also queries of whose hits nobody said that one is right.")
    ] = False,
    set_name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--set", metavar="NAME", help="Only searches of this set; default: all."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write logged queries as saved queries, from which judged data is made.

    Hits that were opened are clicked, those with a thumb are relevant_docs. Only texts that were kept can be exported.

    \b
    embassay queries export queries.jsonl
    embassay judge new docs --out judged --from queries.jsonl
    embassay queries export - --set docs | head
    """
    to_stdout = str(file) == "-"
    if to_stdout and json:
        raise UsageError("stdout cannot hold the queries and a report.", remedy="Leave --json out, or name a file.")
    with common.opened_home(home) as opened:
        made = opened.query_log.export(sys.stdout if to_stdout else file, set=set_name, unjudged=everything)
    if json:
        common.print_json({"file": str(file), **made.to_dict()})
        return
    out = common.messages() if to_stdout else common.console()
    queries = f"{made.queries:,} {'query' if made.queries == 1 else 'queries'}"
    out.print(f"{file}: {queries}, {made.judged:,} of them with clicks or thumbs.")
    if made.unjudged:
        out.print(f"{made.unjudged:,} without are left out; --all writes them too.")
    if made.without_text:
        out.print(f"{made.without_text:,} searches are left out: their text was not kept whole.")
