from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common, losses, runs, words
from embassay.cli.exits import ExitCode
from embassay.cli.runs import LISTED
from embassay.cli.tables import line
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.ingest.limits import DEFAULT_LIMITS, ReadLimits

if TYPE_CHECKING:
    from embassay.sets.build.report import IndexReport


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; default: all that the set was indexed from.", metavar="[PATH]..."),
    ] = None,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    chunk_tokens: common.ChunkTokensOption = None,
    language: common.LanguageOption = None,
    max_file_mb: common.MaxFileOption = MAX_FILE_MB,
    read_seconds: Annotated[
        float, typer.Option(metavar="S", help="Longest that a file may take to be read; 4 s more for each MB of it.")
    ] = DEFAULT_LIMITS.seconds,
    read_memory_mb: Annotated[
        float, typer.Option(metavar="MB", help="Most memory that reading a file may take.")
    ] = DEFAULT_LIMITS.memory_mb,
    read_text_mb: Annotated[
        float, typer.Option(metavar="MB", help="Most text that one file may give, but for JSON lines.")
    ] = DEFAULT_LIMITS.text_mb,
    exclude: common.ExcludeOption = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Take back an --exclude of the same GLOB."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try quarantined files again, though they did not change.")
    ] = False,
    checksum: Annotated[
        bool, typer.Option("--checksum", help="Read every file instead of trusting its size and time.")
    ] = False,
    tokens: Annotated[
        bool | None,
        typer.Option("--tokens/--no-tokens", help="Keep the vectors of tokens as well, for maxsim; or no more."),
    ] = None,
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Index files and folders into a set; run it again to bring the set up to date.

    Only what changed is embedded, and rows of files that are gone are removed. A file that cannot be read is
    quarantined, and the run goes on (exit code 3). Ctrl-C keeps the work so far. The first run of a set fixes its
    model, precision, tokens of a chunk and language.

    \b
    embassay index docs notes/*.pdf
    embassay index --set default
    embassay index . --set code --precision int8
    embassay index handbuch --language de
    embassay index . --exclude CHANGELOG.md --exclude 'docs/old/**'
    embassay index docs --retry-failed
    embassay index --tokens
    """
    with runs.run_in(home) as opened:
        report = opened.index(
            paths or None,
            set=set_name,
            model=model,
            precision=precision,  # type: ignore[arg-type]
            chunk_tokens=chunk_tokens,
            language=language,
            max_file_mb=max_file_mb,
            read_limits=ReadLimits(read_seconds, read_memory_mb, read_text_mb),
            exclude=exclude or (),
            include=include or (),
            retry_failed=retry_failed,
            checksum=checksum,
            tokens=tokens,
        )
    if json:
        common.print_json(report.to_dict() | {"notices": list(opened.session.notices)})
    else:
        _show(report)
    if report.quarantined:
        raise typer.Exit(ExitCode.QUARANTINED)


def _show(report: IndexReport) -> None:
    out = common.console()
    parts = [words.count(report.files, "file") + " read"]
    if report.unchanged:
        parts.append(f"{report.unchanged:,} unchanged")
    if report.removed:
        parts.append(f"{report.removed:,} removed")
    out.print(line((report.set, "bold"), f" · {report.space} · {report.language}"))
    out.print(", ".join(parts) + ".")
    out.print(runs.embedded(report))
    if report.waiting:
        out.print(runs.waiting(report.set, report.waiting))
    for reason, files in losses.by_reason(report.skipped)[:LISTED]:
        out.print(line((f"Skipped {words.count(len(files), 'file')}: {reason}.", "dim")))
    losses.print_files(out, "Quarantined", report.quarantined, LISTED)
    losses.print_files(out, "Read in part", report.read_in_part, LISTED)
    if not report.chunks:
        out.print("Nothing to search yet: no text was found there.")
