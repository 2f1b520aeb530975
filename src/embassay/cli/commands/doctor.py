from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay.cli import common, foreign_vectors, losses, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.sets.examine import Finding


def command(
    set_name: common.OneSetOption = "",
    parquet: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Examine vectors of something else instead: a file of Parquet."),
    ] = None,
    lance: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="The same, of a table of Lance: NAME.lance."),
    ] = None,
    jsonl: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="The same, of JSON lines."),
    ] = None,
    numpy: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="The same, of one .npy file with one .jsonl file beside it."),
    ] = None,
    model: common.ModelOption = None,
    text_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Of these, the field of the text; default: text, body, content, ..."),
    ] = None,
    vector_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the vector; default: vector, embedding, or the only one."),
    ] = None,
    sample: Annotated[int, typer.Option(metavar="N", help="Rows whose texts are embedded again.")] = 200,
    seed: Annotated[int, typer.Option(metavar="N", help="By which these are drawn.")] = 0,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Examine sets: spaces, vectors, duplicates, truncation, stale and orphaned rows, indexes.

    Exit code 1 when something is wrong; each finding names its remedy. Of vectors that something else has made it says
    whether they are those of a model: in which role, and whether some are of another one, cut, doubled, zero, negated
    or not of their own text. Nothing is written.

    \b
    embassay doctor
    embassay doctor --set docs --json
    embassay doctor --parquet vectors.parquet --model minilm --text-field body
    """
    from embassay.sets.examine import problems

    places = {"parquet": parquet, "lance": lance, "jsonl": jsonl, "numpy": numpy}
    if named := foreign_vectors.chosen(places, set_name):
        from embassay.home import examine_vectors

        format, place = named
        with common.opened_session(home) as session:
            report = examine_vectors(
                place,
                model=model,
                format=format,
                text_field=text_field,
                vector_field=vector_field,
                sample=sample,
                seed=seed,
                session=session,
            )
        foreign_vectors.show(report, json=json)
        return
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
