from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from embassay.cli import common, losses, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.sets.examine import Finding


def command(
    set_name: common.OneSetOption = "",
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

    with common.opened_home(home) as opened:
        findings = opened.doctor(set_name or None)
        names = [set_name] if set_name else opened.sets()
        covered = {name: opened.coverage(name) for name in names}
    if json:
        read = [{"set": name, **one.to_dict()} for name, one in covered.items()]
        found = [_fields(finding) for finding in findings]
        common.print_json({"sets": names, "findings": found, "coverage": read})
    else:
        out = common.console()
        for finding in findings:
            level = (finding.level, "red" if finding.level == "problem" else "dim")
            whose = f" {finding.set}:" if finding.set else ""
            out.print(line(level, f"{whose} {finding.message}"))
            if finding.remedy:
                out.print(line("        ", (finding.remedy.in_shell(), "green")))
        for name, one in covered.items():
            out.print(line((f"{name}: {losses.coverage(one)}", "dim")))
        if not problems(findings):
            out.print(line((f"{words.count(len(names), 'set')} examined: nothing wrong.", "green")))
    if problems(findings):
        raise typer.Exit(ExitCode.FAILED)


def _fields(finding: Finding) -> dict[str, Any]:
    return finding.to_dict() | {"remedy": finding.remedy.in_shell()}
