"""What both commands share: every model in turn, and a table of what it scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embassay.cli import common

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder

ModelsOption = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="MODEL", help="A model; repeat it to compare.")
]


def each_model(
    models: list[str] | None,
    home: Path | None,
    texts: int,
    score: Callable[[Embedder, Callable[[int], None]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """A row for each; the reason where a model fails."""
    from embassay.errors import EmbassayError, UsageError

    rows: list[dict[str, Any]] = []
    with common.open_registry(home, cache_local=True) as registry:
        names = models or [registry.default_name]
        with common.embedding_bar(len(names) * texts) as bar:
            for name in names:
                try:
                    embedder = registry.get(name)
                    rows.append({"name": name, "space": str(embedder.space), **score(embedder, bar), "error": ""})
                except UsageError:
                    raise
                except EmbassayError as error:
                    rows.append({"name": name, "space": None, "error": str(error)})
    return rows


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """As a table, and exit code 1 where a model failed."""
    from rich import box
    from rich.table import Table

    from embassay.evaluate.compare.result import short_names

    out = common.console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right")
    short = short_names([row["name"] for row in rows])
    for row in rows:
        cells = ["failed"] if row["error"] else [_shown(row[name]) for name in columns]
        table.add_row(short[row["name"]], *cells)
    out.print(table)
    for row in rows:
        if row["error"]:
            out.print(f"{row['name']} failed: {row['error']}", markup=False, style="yellow")


def exit_if_failed(rows: Sequence[dict[str, Any]]) -> None:
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else " to ".join(f"{v:.3f}" for v in value)
