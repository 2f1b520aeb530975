from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embassay import jsontext
from embassay.cli import common, words
from embassay.cli.tables import line
from embassay.cli.terminal import is_utf8
from embassay.errors import Interrupted
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.text import escaped_json

if TYPE_CHECKING:
    from embassay.sets.watching.reports import Delayed, Lost, Updated, Watching, WatchReport

LISTED = 10
"""Files that could not be read, and paths, that are shown of each update; --json has them all."""


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; default: all that the set was indexed from.", metavar="[PATH]..."),
    ] = None,
    poll: Annotated[
        float | None,
        typer.Option(metavar="S", help="Look at all files each S seconds, for disks whose changes are not told."),
    ] = None,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    chunk_tokens: common.ChunkTokensOption = None,
    language: common.LanguageOption = None,
    max_file_mb: common.MaxFileOption = MAX_FILE_MB,
    exclude: common.ExcludeOption = None,
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Keep a set up to date with its files while they change, until Ctrl-C or SIGTERM.

    First it indexes what changed while nobody watched, as `index` does; then a file is searchable soon after it was
    saved. A line is printed for each update, with --json a line of JSON. While a hosted model does not answer, changes
    are collected, and indexed once it does.

    \b
    embassay watch docs
    embassay watch docs notes --set manual
    embassay watch --set manual --json
    embassay watch /mnt/share/docs --poll 10
    """
    from embassay.cli.progress import Bar

    with common.opened_home(home, create=True) as opened, Bar("chunk") as bar, bar.follow(opened.session.events):
        watcher = opened.watch(
            paths or None,
            set=set_name,
            poll=poll,
            model=model,
            precision=precision,  # type: ignore[arg-type]
            chunk_tokens=chunk_tokens,
            language=language,
            max_file_mb=max_file_mb,
            exclude=exclude or (),
        )
        with watcher:
            for report in watcher:
                bar.close()
                _print_json(report) if json else _show(report)
                common.tell(opened.session.untold())  # nobody waits for the end of this
        raise Interrupted("stopped watching; the set holds what was told.")


def _print_json(report: WatchReport) -> None:
    """One line, at once: whoever reads it waits for it."""
    data = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | report.to_dict()
    sys.stdout.write(escaped_json(jsontext.dumps(data, ascii_only=not is_utf8(sys.stdout))) + "\n")
    sys.stdout.flush()


def _show(report: WatchReport) -> None:
    from embassay.sets.watching.reports import Updated

    told = [line((datetime.now().strftime("%H:%M:%S"), "dim"), f" {_said(report)}")]
    for path, reason in report.quarantined[:LISTED] if isinstance(report, Updated) else ():
        told.append(line((f"         Quarantined {path}: {reason}", "yellow")))
    common.console().print(*told, sep="\n", soft_wrap=True)  # at once: a Ctrl-C leaves no report half told
    sys.stdout.flush()


def _said(report: WatchReport) -> str:
    from embassay.sets.watching.reports import Delayed, Lost, Updated, Watching

    match report:
        case Watching():
            return _watching(report)
        case Updated():
            return _updated(report)
        case Delayed():
            return _delayed(report)
        case Lost():
            return _lost(report)


def _watching(report: Watching) -> str:
    how = " by looking at all files again and again" if report.by == "polling" else ""
    why = f": {report.why}" if report.why else ""
    return f"Watching {_some(report.paths)} for set {report.set}{how}{why}."


def _updated(report: Updated) -> str:
    run = report.index
    parts = [words.count(run.files, "file") + " read"]
    if run.removed:
        parts.append(f"{run.removed:,} removed")
    parts.append(f"{words.count(run.embedded, 'chunk')} embedded in {run.seconds:.1f} s")
    wait = f", of which {run.waiting:,} wait for `embassay index --set {run.set}`" if run.waiting else ""
    return f"{', '.join(parts)}; {run.set} holds {run.chunks:,}{wait}."


def _delayed(report: Delayed) -> str:
    waiting = f"{words.count(report.changes, 'change')} wait" if report.changes else "Changes wait"
    return f"{waiting}, next try in {report.seconds:.0f} s: {report.error.message}"


def _lost(report: Lost) -> str:
    return (
        f"Not there: {_some(report.paths)}; what was indexed of it stays." if report.paths else "All paths are there."
    )


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - LISTED:,} more" if len(paths) > LISTED else ""
    return ", ".join(paths[:LISTED]) + more
