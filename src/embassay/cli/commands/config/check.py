from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.models.check import ModelCheck


def command(
    health: Annotated[bool, typer.Option("--health", help="Ask every configured model for a vector.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Check the configuration: keys, values, references, cards, what each model lacks. Exit code 1 for problems.

    \b
    embassay config check
    embassay config check --health
    """
    from embassay.models.check import check_models

    with common.opened_session(home) as session:
        checks = check_models(session.models, health=health)
        file = session.config.file
    if json:
        common.print_json({"file": str(file) if file else None, "models": [found.to_dict() for found in checks]})
    else:
        _show(checks, str(file) if file else "no embassay.yaml: defaults")
    if any(found.problem for found in checks):
        raise typer.Exit(ExitCode.FAILED)


def _show(checks: list[ModelCheck], file: str) -> None:
    out = common.console()
    out.print(file, style="dim")
    for found in checks:
        state = ("problem", "red") if found.problem else ("fine", "green")
        runs = "/".join(filter(None, (found.provider, found.model_id)))
        out.print(line(state, "  ", (found.name, "bold"), f"  {runs}"))
        for text in filter(None, (found.problem, *found.notes)):
            out.print(f"    {text}")
    if not checks:
        out.print("No models are configured; the default is all-MiniLM-L6-v2 on the local engine.")
