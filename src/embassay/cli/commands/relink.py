from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, runs, words
from embassay.cli.tables import line
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.sets.relinking import Relinked

NEEDS_ARGUMENTS = True


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--to", metavar="MODEL", help="The model that makes the same vectors."),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Take the last relinking back.")] = False,
    precision: common.PrecisionOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Have another provider make the vectors of a set from now on, without embedding anything anew.

    The same model may run here or at a service, and be called otherwise there. It is taken only where it makes the
    vectors that the set has: of texts that are known, as query and as document, and of some stored texts, among them
    the longest. Each must have a cosine of 0.99 at least; otherwise it is refused with the figure.

    \b
    embassay relink docs --to tei/all-MiniLM-L6-v2
    embassay relink docs --back
    """
    if back == (to is not None):
        raise UsageError("either --to MODEL or --back is to be given.")
    with runs.run_in(home) as opened:
        done = opened.set(set_name).relink(to, precision=precision, back=back)
    if json:
        common.print_json(done.to_dict())
    else:
        _show(done)


def _show(done: Relinked) -> None:
    out = common.console()
    out.print(line((f"{done.set}: {done.was} -> {done.now}", "bold")))
    least = ", ".join(f"{name} {cosine:.4f}" for name, cosine in done.least.items())
    out.print(f"Proven equal: least cosine {least}; {words.count(done.texts, 'stored text')} embedded again.")
    out.print(f"Now {done.space}.")
