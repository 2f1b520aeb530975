from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.config.values import Trust
    from embassay.models.check import ModelCheck

WORDS = {
    "own": "yours: you named it",
    "agreed": "found here; you agreed to it",
    "changed": "found here; it has changed since you agreed to it: embassay config allow",
    "found": "found here; nobody has agreed to it: embassay config allow",
}


def command(
    health: Annotated[bool, typer.Option("--health", help="Ask every configured model for a vector.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Check the configuration: keys, values, references, cards, what each model lacks. Exit code 1 for problems.

    It says as well whether the file is trusted, and where each secret would be sent; no secret is shown.

    \b
    embassay config check
    embassay config check --health
    """
    from embassay.models.check import check_models, check_paths

    with common.opened_session(home) as session:
        checks = check_models(session.models, health=health)
        config = session.config
    problems = check_paths(config)
    file, trust = str(config.file) if config.file else None, config.trust
    if json:
        models = [found.to_dict() for found in checks]
        common.print_json({"file": file, "trust": trust, "problems": problems, "models": models})
    else:
        _show(checks, problems, file, trust)
    if problems or any(found.problem for found in checks):
        raise typer.Exit(ExitCode.FAILED)


def _show(checks: list[ModelCheck], problems: list[str], file: str | None, trust: Trust) -> None:
    out = common.console()
    out.print(line((f"{file} ({WORDS[trust]})" if file else "no embassay.yaml: defaults", "dim")))
    for problem in problems:
        out.print(line(("problem", "red"), f"  {problem}"))
    for found in checks:
        state = ("problem", "red") if found.problem else ("fine", "green")
        runs = "/".join(filter(None, (found.provider, found.model_id)))
        out.print(line(state, "  ", (found.name, "bold"), f"  {runs}"))
        for text in filter(None, (found.problem, *found.notes)):
            out.print(line(f"    {text}"))
        for use in found.secrets:
            missing = "" if use.is_set else ", which is not set"
            out.print(line(f"    {use.secret}{missing} → {use.to} ({use.carried_by})"))
    if not checks:
        out.print("No models are configured; the default is all-MiniLM-L6-v2 on the local engine.")
