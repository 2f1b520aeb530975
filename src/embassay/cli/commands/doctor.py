from __future__ import annotations

import typer

from embassay.cli import common, words
from embassay.cli.exits import ExitCode


def command(
    set_name: common.SetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Examine sets: spaces, vectors, duplicates, truncation, stale and orphaned rows, indexes.

    Exit code 1 when something is wrong; each finding names its remedy.

    \b
    embassay doctor
    embassay doctor --set docs --json
    """
    from embassay.sets.examine import problems

    with common.existing_home(home) as opened:
        findings = opened.doctor(set_name or None)
        names = [set_name] if set_name else opened.sets()
    if json:
        common.print_json({"sets": names, "findings": [finding.to_dict() for finding in findings]})
    else:
        from rich.markup import escape

        out = common.console()
        for finding in findings:
            colour = "red" if finding.level == "problem" else "dim"
            out.print(f"[{colour}]{finding.level}[/{colour}] {escape(finding.set)}: {escape(finding.message)}")
            if finding.remedy:
                out.print(f"        [green]{escape(finding.remedy)}[/green]")
        if not problems(findings):
            out.print(f"[green]{words.count(len(names), 'set')} examined: nothing wrong.[/green]")
    if problems(findings):
        raise typer.Exit(ExitCode.FAILED)
