from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay.cli import common, trials, words
from embassay.cli.tables import table

if TYPE_CHECKING:
    from embassay.sets.history import Happening

COUNTED = {
    "calls": ("call", ""),
    "files": ("file", ""),
    "documents": ("document", ""),
    "added": ("record", " added"),
    "updated": ("record", " replaced"),
    "removed": ("file", " gone"),
    "embedded": ("chunk", " embedded"),
    "given": ("vector", " given"),
    "chunks": ("chunk", " in all"),
}
"""What figures count, by their names, and what is said behind it."""
HIDDEN = {"until", "cached", "precision", "chunk_tokens", "store", "rules", "usd", "seconds"}
"""Figures of which a line says nothing, or says it in its own way; ``--json`` has all."""


def command(
    set_name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="The set; default: the one that is meant.", metavar="[SET]"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many, the newest first.")] = 20,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what happened to a set, the newest first: created, indexed, added to, deleted from, migrated, switched.

    Calls of one kind that follow each other closely are one line. Runs that changed nothing are left out.

    \b
    embassay log
    embassay log docs -n 5
    embassay log docs --json
    """
    with common.opened_home(home) as opened:
        found = opened.set(set_name)
        happened = found.history(limit)
        trial = found.open_trial()
    if json:
        common.print_json({"set": found.name, "history": [one.to_dict() for one in happened]})
        return
    out = common.console()
    if happened:
        out.print(table(("when", "what", "figures", "by"), map(_row, happened), left=("what", "by"), wrap=("figures",)))
    else:
        out.print("Nothing was noted yet: what happens from now on is.")
    if trial:
        out.print(trials.line_of(trial))


def _row(one: Happening) -> tuple[str, ...]:
    when = datetime.fromtimestamp(one.happened).strftime("%Y-%m-%d %H:%M")
    return when, one.what, ", ".join(_figures(one.detail)), one.version


def _figures(detail: Mapping[str, Any]) -> Iterator[str]:
    """The figures in words; those that are nothing, or hold others inside, are left to ``--json``."""
    for name, value in detail.items():
        is_said = value not in (None, "", 0) and not isinstance(value, (dict, list)) and name not in HIDDEN
        if is_said and (name, value) != ("calls", 1):
            yield _figure(name, value)
    if detail.get("forced"):
        yield f"forced, although its migration was {detail['forced'].get('state')}"
    if detail.get("seconds"):
        yield words.duration(detail["seconds"])
    if detail.get("usd"):
        yield words.dollars(detail["usd"])


def _figure(name: str, value: Any) -> str:
    if name in COUNTED and isinstance(value, int):
        word, behind = COUNTED[name]
        return f"{words.count(value, word)}{behind}"
    name = name.replace("_", " ")
    return name if value is True else f"{name} {value:,.4g}" if isinstance(value, float) else f"{name} {value}"
