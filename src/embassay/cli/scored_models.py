"""What the commands of `similarity` share: score every chosen model in turn, and show the scores as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    score: Callable[[Embedder, Callable[[int], None]], dict[str, object]],
) -> list[dict[str, object]]:
    """One row for each model: its name, its space, what `score` found, and the reason where the model failed.

    `score` is given the embedder and a function to call with the number of texts that are done, of which there are
    `texts` for each model. Without `models`, the default model is scored. Raises UsageError.
    """
    from embassay.errors import EmbassayError, UsageError

    rows: list[dict[str, object]] = []
    with common.opened_session(home, keep_local=True, create=True) as session:
        names = models or [session.models.default_name]
        with progress.bar(len(names) * texts) as bar:
            for name in names:
                try:
                    embedder = session.models.get(name)
                    space = {"space": str(embedder.space), "space_digest": embedder.space.digest}
                    rows.append({"name": name, **space, **score(embedder, bar), "error": ""})
                except UsageError:
                    raise
                except EmbassayError as error:
                    rows.append({"name": name, "space": None, "space_digest": None, "error": str(error)})
    return rows


def show(rows: Sequence[dict[str, object]], columns: Sequence[str]) -> None:
    """Print a table with `columns` of each model's row, and below it why models failed."""
    from embassay.text import short_names

    out = common.console()
    short = short_names([str(row["name"]) for row in rows])
    cells = [
        [short[str(row["name"])], *(["failed"] if row["error"] else [_shown(row[name]) for name in columns])]
        for row in rows
    ]
    out.print(table(("model", *(name.replace("_", " ") for name in columns)), cells))
    for row in rows:
        if row["error"]:
            out.print(text(f"{row['name']} failed: {row['error']}", "yellow"))


def exit_if_failed(rows: Sequence[dict[str, object]]) -> None:
    """End the command with the exit code for failure if any model failed. The other rows were printed before."""
    if any(row["error"] for row in rows):
        raise typer.Exit(ExitCode.FAILED)


def _shown(value: object) -> str:
    """A score with four decimals; an interval as ``0.812 to 0.843``."""
    if isinstance(value, Sequence):
        return " to ".join(f"{bound:.3f}" for bound in value)
    return f"{value:.4f}"
