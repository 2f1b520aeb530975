"""What `embassay switch` and `embassay rollback` say of what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common, words
from embassay.cli.tables import line
from embassay.text import moment

if TYPE_CHECKING:
    from embassay.sets.migration.switching import Switched

KeepOption = Annotated[
    str, typer.Option("--keep", metavar="TIME", help="How long the generation that was live is kept: 12h, 7d, 2w.")
]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which the history keeps.")]


def tell(done: Switched, *, json: bool) -> None:
    """Print it."""
    if done.words_only:
        said = "is" if done.words_only == 1 else "are"
        found = f"{words.count(done.words_only, 'document')} {said} found by words only"
        common.tell([f"{found}: {done.now.spec.model} could not embed what came since."])
    if done.model_error:
        common.tell([f"Searches are by words only until {done.now.spec.model} can be asked again: {done.model_error}"])
    if json:
        common.print_json(done.to_dict())
        return
    out = common.console()
    out.print(line((f"{done.set}: {done.was.space} -> {done.now.space}", "bold")))
    brought = f"{words.count(done.brought, 'document')} brought along, " if done.brought else ""
    out.print(f"{brought}{words.duration(done.seconds)}; generation {done.was.name} -> {done.now.name}")
    if done.keep_until is not None:
        out.print(f"The old one is kept until {moment(done.keep_until)}.")
    elif done.trial is not None:
        out.print(f"It is on trial for {done.trial.days:g} days. The old one is kept until the trial is decided.")
        out.print(f"Look at it, and decide it when it is due, with embassay trial {done.set}")
