from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay.cli import common
from embassay.home import DEFAULT_SET, MAX_FILE_MB, Home
from embassay.sets.build.progress import Progress

if TYPE_CHECKING:
    from embassay.sets.build.run import IndexReport

NEEDS_ARGUMENTS = True
LISTED = 10
"""Reasons shown in full; --json has them all."""


def command(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...")],
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    chunk_tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Most tokens of a chunk; default: the model's limit."),
    ] = None,
    max_file_mb: Annotated[float, typer.Option(metavar="MB", help="Larger files are skipped.")] = MAX_FILE_MB,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try quarantined files again.")] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file, trust no time stamp.")] = False,
    set_name: common.SetOption = DEFAULT_SET,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Index files and folders into a set; run it again to bring the set up to date.

    Only what changed is embedded. Files that are gone lose their rows. A file that cannot be read is
    quarantined and the run goes on (exit code 3). Ctrl-C keeps the work so far.

    \b
    embassay index docs notes/*.pdf
    embassay index . --set code --precision int8
    embassay index docs --retry-failed
    """
    from embassay.sets.folder import find_home

    with Home(find_home(home, create=True)) as opened, Bar() as bar:
        try:
            report = opened.index(
                paths,
                set=set_name,
                model=model,
                precision=precision,  # type: ignore[arg-type]
                chunk_tokens=chunk_tokens,
                max_file_mb=max_file_mb,
                retry_failed=retry_failed,
                checksum=checksum,
                progress=bar,
            )
        except KeyboardInterrupt:
            bar.close()
            common.messages().print("Stopped. What was embedded is kept; run the same command to go on.")
            raise typer.Exit(130) from None
    if json:
        common.print_json(report.to_dict())
    else:
        _show(report)
    if report.quarantined:
        raise typer.Exit(3)


class Bar(Progress):
    """A progress bar on stderr: bytes read, chunks a second, time left."""

    def __init__(self) -> None:
        from rich import progress as rich

        self._bar = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(bar_width=32),
            rich.TextColumn("{task.percentage:>3.0f}%"),
            rich.TextColumn("{task.fields[chunks]:,} chunks, {task.fields[rate]:,.0f}/s"),
            rich.TimeRemainingColumn(),
            console=common.messages(),
            transient=True,
        )
        self._task: Any = None
        self._began = 0.0

    def start(self, total_bytes: int, files: int) -> None:
        import time

        self._began = time.monotonic()
        if files:
            self._bar.start()
            self._task = self._bar.add_task(
                f"Indexing {common.count(files, 'file')}", total=total_bytes, chunks=0, rate=0.0
            )

    def advance(self, done_bytes: int, chunks: int) -> None:
        import time

        if self._task is not None:
            rate = chunks / max(time.monotonic() - self._began, 1e-3)
            self._bar.update(self._task, completed=done_bytes, chunks=chunks, rate=rate)

    def note(self, text: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, description=text.capitalize())
        else:
            common.messages().print(f"{text.capitalize()} …")

    def close(self) -> None:
        self._bar.stop()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _show(report: IndexReport) -> None:
    from rich.markup import escape

    out = common.console()
    parts = [common.count(report.files, "file") + " read"]
    if report.unchanged:
        parts.append(f"{report.unchanged:,} unchanged")
    if report.removed:
        parts.append(f"{report.removed:,} removed")
    rate = f" ({report.embedded / report.seconds:,.0f}/s)" if report.embedded and report.seconds else ""
    out.print(f"[bold]{escape(report.set)}[/bold] · {escape(report.space)}")
    out.print(", ".join(parts) + ".")
    cached = f", {report.cached:,} of them from the cache," if report.cached else ""
    paid = "" if report.usd == 0 else f", {common.dollars(report.usd)} paid"
    out.print(
        f"{common.count(report.embedded, 'chunk')} embedded{cached} in {report.seconds:.1f} s{rate}{paid}; "
        f"the set holds {report.chunks:,}."
    )
    for reason, files in Counter(reason for _, reason in report.skipped).most_common(LISTED):
        out.print(f"[dim]Skipped {common.count(files, 'file')}: {escape(reason)}.[/dim]")
    for path, reason in report.quarantined[:LISTED]:
        out.print(f"[yellow]Quarantined[/yellow] {escape(path)}: {escape(reason)}")
    if len(report.quarantined) > LISTED:
        out.print(f"… and {len(report.quarantined) - LISTED:,} more: embassay status")
    if not report.chunks:
        out.print("Nothing to search yet: no text was found there.")
