"""What both commands share: every model in turn, and a table of what it scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embassay.cli import common, progress
from embassay.cli.exits import ExitCode
from embassay.cli.tables import table, text

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
    with common.opened_session(home, keep_local=True) as session:
        names = models or [session.models.default_name]
        with progress.bar(len(names) * texts) as bar:
            for name in names:
                try:
                    embedder = session.models.get(name)
                    rows.append({"name": name, "space": str(embedder.space), **score(embedder, bar), "error": ""})
                except UsageError:
                    raise
                except EmbassayError as error:
                    rows.append({"name": name, "space": None, "error": str(error)})
    return rows


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """As a table, and the reasons where models failed."""
    from embassay.text import short_names

    out = common.console()
    short = short_names([row["name"] for row in rows])
    cells = [
        [short[row["name"]], *(["failed"] if row["error"] else [_shown(row[name]) for name in columns])] for row in rows
    ]
    out.print(table(("model", *(name.replace("_", " ") for name in columns)), cells))
    for row in rows:
        if row["error"]:
            out.print(text(f"{row['name']} failed: {row['error']}", "yellow"))


def exit_if_failed(rows: Sequence[dict[str, Any]]) -> None:
    if any(row["error"] for row in rows):
        raise typer.Exit(ExitCode.FAILED)


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else " to ".join(f"{v:.3f}" for v in value)
