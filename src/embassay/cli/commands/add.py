from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, losses, runs, words
from embassay.cli.exits import ExitCode
from embassay.cli.runs import LISTED
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.ingest.base import SourceFile
    from embassay.sets.records.importing import ImportReport

NEEDS_ARGUMENTS = True
STDIN, STDIN_FORMAT = "-", "jsonl"


def command(
    files: Annotated[list[str], typer.Argument(help="Files of records; - is standard input.", metavar="FILE...")],
    id_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the id; default: _id, id, uid, uuid or key."),
    ] = None,
    text_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the text: body, meta.body; default: text, body, content, ..."),
    ] = None,
    title_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of the title; default: title, name, headline or subject."),
    ] = None,
    vector_field: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The field of a vector that the set's model has made elsewhere."),
    ] = None,
    format: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="jsonl, json, csv or parquet; default: by the suffix, jsonl for stdin."),
    ] = None,
    upsert: Annotated[
        bool, typer.Option("--upsert/--no-upsert", help="Replace records of the set that have the same id.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count, but write nothing.")] = False,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    chunk_tokens: common.ChunkTokensOption = None,
    language: common.LanguageOption = None,
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Add records to a set: JSON lines, JSON, CSV, TSV or Parquet. Every field but id, text and title is metadata.

    A record that the set has as it is costs nothing, so that the same file can be added again. One whose id the set has
    with something else is left out, unless --upsert replaces it. A row without an id or a text is told with its line,
    and the others are added (exit code 3). Ctrl-C keeps the work so far.

    \b
    embassay add docs.jsonl --id-field id --text-field body --set faq
    embassay add products.csv --id-field sku --text-field description --upsert
    zcat dump.jsonl.gz | embassay add - --text-field meta.body --dry-run
    """
    from embassay.ingest.rows import RecordFields, rows_of

    sources = [(str(source.file), rows_of(source, format)) for source in _sources(files, format)]
    with runs.run_in(home) as opened:
        report = opened.set(set_name, writing=True).import_rows(
            sources,
            RecordFields(id_field, text_field, title_field, vector_field),
            replace=upsert,
            dry_run=dry_run,
            model=model,
            precision=precision,  # type: ignore[arg-type]
            chunk_tokens=chunk_tokens,
            language=language,
        )
    if json:
        common.print_json(report.to_dict() | {"notices": list(opened.session.notices)})
    else:
        _show(report)
    if report.left_out or (report.written and report.written.quarantined):
        raise typer.Exit(ExitCode.QUARANTINED)


def _sources(files: list[str], format: str | None) -> list[SourceFile]:
    """The files that are named. Raises UsageError for one that is not there, before anything is read."""
    from embassay.cli.standard_input import piped_file
    from embassay.errors import UsageError
    from embassay.ingest.base import SourceFile

    for name in files:
        if name != STDIN and not Path(name).is_file():
            reason = "it is a folder: index takes folders" if Path(name).is_dir() else "no such file"
            raise UsageError(f"{name}: {reason}.")
    if files.count(STDIN) > 1:
        raise UsageError("standard input is named twice.")
    named = (piped_file(format or STDIN_FORMAT) if name == STDIN else SourceFile(Path(name), name) for name in files)
    return list(named)


def _show(report: ImportReport) -> None:
    out = common.console()
    counts = [f"{n:,} {what}" for n, what in ((report.new, "new"), (report.changed, "changed")) if n]
    counts.append(f"{report.unchanged:,} unchanged")
    if report.left_out:
        counts.append(f"{report.left_out:,} left out")
    written = report.written
    out.print(line((report.set, "bold"), f" · {written.space} · {written.language}" if written else ""))
    out.print(f"{words.count(report.rows, 'row')}: {', '.join(counts)}.")
    if written:
        out.print(runs.embedded(written))
        if written.waiting:
            out.print(runs.waiting(written.set, written.waiting))
        losses.print_files(out, "Quarantined", written.quarantined, LISTED)
    for file, reason in report.reasons[:LISTED]:
        out.print(line(("Left out", "yellow"), f" {file}: {reason}"))
    if report.left_out > LISTED:
        out.print(f"… and {report.left_out - min(LISTED, len(report.reasons)):,} more.")
    if report.differing:
        out.print(f"{words.count(report.differing, 'record')} of the set would change: --upsert replaces them.")
    if not report.rows:
        out.print("No record was found there.")
    elif report.written is None and not report.new and not report.changed:
        out.print("Nothing is to be written.")
