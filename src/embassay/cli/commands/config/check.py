from __future__ import annotations

from typing import Annotated, Any

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line


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
        rows = [found.to_dict() for found in check_models(session.models, health=health)]
        file = session.config.file
    problems = [row for row in rows if row["problem"]]
    if json:
        common.print_json({"file": str(file) if file else None, "models": rows})
    else:
        _show(rows, str(file) if file else "no embassay.yaml: defaults")
    if problems:
        raise typer.Exit(ExitCode.FAILED)


def _show(rows: list[dict[str, Any]], file: str) -> None:
    out = common.console()
    out.print(file, style="dim")
    for row in rows:
        state = ("problem", "red") if row["problem"] else ("fine", "green")
        runs = "/".join(filter(None, (row["provider"], row["model_id"])))
        out.print(line(state, "  ", (row["name"], "bold"), f"  {runs}"))
        for text in filter(None, (row["problem"], *row["notes"])):
            out.print(f"    {text}")
    if not rows:
        out.print("No models are configured; the default is all-MiniLM-L6-v2 on the local engine.")
