from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mensura.cli import common

if TYPE_CHECKING:
    from mensura.evaluate.evaluation import Evaluation

NEEDS_ARGUMENTS = True


def command(
    models: Annotated[
        list[str], typer.Argument(help="Two or more models; @int8 and @dims=256 choose a form.", metavar="MODEL...")
    ],
    judged: Annotated[Path, typer.Option(metavar="DIR", help="A folder in BEIR layout.")],
    mode: Annotated[str, typer.Option(metavar="MODE", help="hybrid, dense or lexical.")] = "dense",
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Which qrels; default: test."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", metavar="M", help="Repeat it; default: nDCG@10 R@100 RR@10.")
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Score models side by side on your own judged data.

    Every model embeds the documents once; a model that fails has its reason in its row, the others go on.

    \b
    mensura compare minilm minilm@int8 --judged judged/
    mensura compare sentence-transformers/all-MiniLM-L6-v2 hash/384 --judged judged/ --mode hybrid --json
    """
    from mensura.evaluate.judged import read_judged

    data = read_judged(judged, split)
    metrics = tuple(metric or ("nDCG@10", "R@100", "RR@10"))
    rows = []
    with (
        common.open_registry(home) as registry,
        common.embedding_bar(len(models) * (len(data.documents) + len(data.queries))) as advance,
    ):
        for name in models:
            rows.append(_row(registry, name, data, mode, metrics, advance))
    if json:
        common.print_json({"judged": data.name, "queries": len(data.queries), "mode": mode, "candidates": rows})
    else:
        _show(rows, metrics, data)
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


def _row(registry: Any, name: str, data: Any, mode: str, metrics: tuple[str, ...], advance: Any) -> dict[str, Any]:
    from mensura.errors import MensuraError, UsageError
    from mensura.evaluate.evaluation import evaluate
    from mensura.search.stages import pipeline
    from mensura.stores.backends.memory import open_store

    row: dict[str, Any] = {"name": name, "space": None, "metrics": {}, "bytes_per_million": None,
                           "usd_per_million_tokens": None, "seconds": None, "error": ""}  # fmt: skip
    try:
        embedder = registry.get(name)
        dimensions = embedder.space.dimensions
        store = open_store(Path(), "compare", dimensions, create=True)
        made: Evaluation = evaluate(data, embedder, store, pipeline(mode), metrics=metrics, advance=advance)
    except UsageError:
        raise
    except MensuraError as error:
        return row | {"error": str(error)}
    return row | {
        "space": made.space,
        "metrics": dict(made.metrics),
        "bytes_per_million": dimensions * 4_000_000,
        "usd_per_million_tokens": embedder.price,
        "seconds": {"embed": round(made.embed_seconds, 3), "search": round(made.search_seconds, 3)},
    }


def _show(rows: list[dict[str, Any]], metrics: tuple[str, ...], data: Any) -> None:
    from rich import box
    from rich.table import Table

    out = common.console()
    out.print(f"[bold]{data.name}[/bold] · {len(data.queries):,} queries, {len(data.documents):,} documents")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for name in (*metrics, "embedding", "a million", "$/M tokens"):
        table.add_column(name, justify="right", no_wrap=True)
    best = {m: max((row["metrics"].get(m, 0.0) for row in rows), default=0.0) for m in metrics}
    for row in rows:
        if row["error"]:
            table.add_row(row["name"], *("failed" for _ in metrics), "", "", "")
            continue
        scores = (f"[bold]{v:.4f}[/bold]" if v == best[m] else f"{v:.4f}" for m, v in row["metrics"].items())
        table.add_row(
            row["name"], *scores, common.duration(row["seconds"]["embed"]), common.size(row["bytes_per_million"]),
            common.dollars(row["usd_per_million_tokens"]),
        )  # fmt: skip
    out.print(table)
    for row in rows:
        if row["error"]:
            out.print(f"{row['name']}: {row['error']}", markup=False, style="yellow")
