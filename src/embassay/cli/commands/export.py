from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common, words
from embassay.cli.progress import Bar
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.sets.exchange.exporting import ExportReport

NEEDS_ARGUMENTS = True


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    folder: Annotated[Path, typer.Argument(help="The folder to write, which is made.", metavar="FOLDER")],
    format: Annotated[str, typer.Option(metavar="NAME", help="parquet, numpy or jsonl.")] = "parquet",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an export that is there.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write a set into a folder: chunks with texts, metadata and vectors, the documents that they come from, the space.

    The folder is there whole or not at all. embassay import makes a set of it again.

    \b
    embassay export docs out
    embassay export docs out --format numpy --overwrite
    """
    with common.opened_home(home) as opened, Bar("chunk") as bar, bar.follow(opened.session.events):
        report = opened.set(set_name).export(folder, format=format, overwrite=overwrite)
    if json:
        common.print_json(report.to_dict())
    else:
        _show(report)


def _show(report: ExportReport) -> None:
    out = common.console()
    out.print(line((report.set, "bold"), f" · {report.space} · {report.format}"))
    size = f"{report.bytes / 1e6:,.1f} MB"
    counts = f"{words.count(report.chunks, 'chunk')} of {words.count(report.documents, 'document')}"
    out.print(f"{counts}, {size}, in {report.seconds:.1f} s: {report.folder}")
