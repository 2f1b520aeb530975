from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common, words
from embassay.cli.tables import line, table

if TYPE_CHECKING:
    from embassay.sets.gc import Garbage

WHY = {
    "leftover": "no set has it",
    "kept": "its time is over",
    "failed": "its migration failed",
    "unknown": "left by a killed process",
}


def command(
    apply: Annotated[bool, typer.Option("--apply", help="Remove it.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Say what can be removed of a home, and what that would free; with --apply remove it.

    That are generations of sets: those that no set has any more, the one that was live before a switch once its time is
    over, those of migrations that failed more than a week ago, and what a killed process left. What another process
    has open stays until the next time.

    \b
    embassay gc
    embassay gc --apply
    """
    with common.opened_home(home) as opened:
        done = opened.gc(apply=apply)
    if json:
        common.print_json(done.to_dict())
        return
    out = common.console()
    if done.found:
        names = ("generation", "of set", "size", "why", "state")
        rows = [_row(one) for one in done.found]
        out.print(table(names, rows, left=("of set", "why", "state")))
    freed = f"{words.size(done.bytes)} {'freed' if apply else 'to be freed'}."
    hint = "" if apply or not done.bytes else " Remove it with embassay gc --apply"
    out.print(line((freed, "bold"), hint))


def _row(one: Garbage) -> list[str]:
    return [one.generation, one.set or "unknown", words.size(one.bytes), WHY[one.kind], one.state]
