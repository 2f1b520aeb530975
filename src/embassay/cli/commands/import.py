from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, runs, words
from embassay.cli.exits import ExitCode
from embassay.cli.runs import LISTED
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.sets.exchange.report import ImportedSet

NEEDS_ARGUMENTS = True


def command(
    place: Annotated[Path, typer.Argument(help="An export, or a file or folder of vectors.", metavar="PLACE")],
    set_name: Annotated[str, typer.Option("--set", metavar="NAME", help="The set to make.")],
    id_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Of foreign vectors, the field of the id; default: _id, id, uid, ..."),
    ] = None,
    text_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the text; default: text, body, content, ..."),
    ] = None,
    vector_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the vector; default: vector, embedding, or the only one."),
    ] = None,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    language: common.LanguageOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make a new set out of vectors that are there already: an export, Parquet, JSON lines, NumPy, or a Lance table.

    They are taken where the model makes a sample of them again, with a cosine of 0.99 or more; otherwise nothing is
    imported. A row of foreign vectors that makes no record is told, and the others are imported (exit code 3). Run the
    same command to go on with an import that was stopped.

    \b
    embassay import out --set docs2
    embassay import out --set docs2 --model minilm
    embassay import vectors.parquet --set old --model minilm --id-field doc_id --text-field body
    """
    with runs.run_in(home) as opened:
        report = opened.import_set(
            place,
            set=set_name,
            id_field=id_field,
            text_field=text_field,
            vector_field=vector_field,
            model=model,
            precision=precision,  # type: ignore[arg-type]
            language=language,
        )
    if json:
        common.print_json(report.to_dict() | {"notices": list(opened.session.notices)})
    else:
        _show(report)
    if report.left_out:
        raise typer.Exit(ExitCode.QUARANTINED)


def _show(report: ImportedSet) -> None:
    out = common.console()
    out.print(line((report.set, "bold"), f" · {report.space}"))
    counts = f"{words.count(report.chunks, 'chunk')} of {words.count(report.documents, 'document')}"
    there = report.chunks - report.written
    known = f", {there:,} of them there before," if there else ""
    out.print(f"{counts}{known} in {report.seconds:.1f} s.")
    if report.least_cosine is not None:
        made = f"{words.count(report.compared, 'vector')} made again"
        out.print(f"{made}: the least cosine is {report.least_cosine:.4f}.")
    for row, reason in report.reasons[:LISTED]:
        out.print(line(("Left out", "yellow"), f" {row}: {reason}"))
    if report.left_out > LISTED:
        out.print(f"… and {report.left_out - LISTED:,} more.")
