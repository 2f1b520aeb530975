from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.sets.log.querylog import QueryLog

NEEDS_ARGUMENTS = True


def command(
    search: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[ID]", help="The id of a logged search, as search --json and queries list print it."),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="The last search, instead of an id.")] = False,
    clicked: Annotated[
        list[str] | None,
        typer.Option(
            "--clicked", metavar="HIT", help="A hit that was opened, by rank or document; repeat it for more."
        ),
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Thumbs up.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Thumbs down.")] = False,
    document: Annotated[
        list[str] | None,
        typer.Option(
            "--document",
            metavar="HIT",
            help="What the thumb is about: a rank, or any document of the set; default: all of the answer.",
        ),
    ] = None,
    set_name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--set", metavar="NAME", help="With --last: the last search of this set."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Note which hits of a logged search were opened, and what is thought of them.

    \b
    embassay feedback --last --clicked 2
    embassay feedback 276dd48ea7c8d863 --up --document docs/keys.md
    """
    from embassay.errors import UsageError

    if up and down:
        raise UsageError("a thumb goes up or down.", remedy="Leave --up or --down out.")
    thumbs = "up" if up else "down" if down else None
    with common.opened_home(home) as opened:
        name = _named(opened.query_log, search, set_name, last=last)
        noted = opened.feedback(name, clicked=clicked or (), thumbs=thumbs, about=document or ())
    if json:
        common.print_json(noted.to_dict())
        return
    shown = "" if noted.form == "hashed" else f": {noted.query}"
    common.console().print(line(("Noted", "bold"), f" for search {noted.id}{shown}"))


def _named(log: QueryLog, search: str | None, set_name: str | None, *, last: bool) -> str:
    """The id of the search that is meant. Raises UsageError where none is named, or two are."""
    from embassay.errors import UsageError

    if (search is None) != last:
        raise UsageError(
            "say which search: its id, or --last.", remedy=remedy.command("queries list", say="{} shows some.")
        )
    return log.last(set_name).id if search is None else search
