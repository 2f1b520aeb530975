from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mensura.cli import common

if TYPE_CHECKING:
    from mensura.evaluate.evaluation import Evaluation
    from mensura.stores.base import Store

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[Path, typer.Argument(help="A folder in BEIR layout.", metavar="JUDGED_DIR")],
    mode: Annotated[str, typer.Option(metavar="MODE", help="hybrid, dense or lexical.")] = "hybrid",
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Which qrels; default: test."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="M", help="Repeat it; default: nDCG@10 R@100 RR@10 P@5 AP@100."),
    ] = None,
    chunks: Annotated[
        bool, typer.Option("--chunks", help="Cut documents as for indexing; the best chunk counts.")
    ] = False,
    drop_same_id: Annotated[
        bool, typer.Option("--drop-same-id", help="Leave out the hit whose id is the query's, as ArguAna needs.")
    ] = False,
    per_query: Annotated[bool, typer.Option("--per-query", help="Scores of every query.")] = False,
    fusion: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="How hybrid joins its arms: convex (default), zscore, rrf."),
    ] = None,
    store: Annotated[str, typer.Option(metavar="NAME", help="memory (exact) or lance (as indexed).")] = "memory",
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    set_name: common.SetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Score a model and a search mode on judged data.

    The folder holds corpus.jsonl, queries.jsonl and qrels/<split>.tsv. With --set the set's model is scored.

    \b
    mensura eval judged/ --mode hybrid
    mensura eval judged/ --mode dense --precision int8 --json
    """
    from mensura.evaluate.evaluation import evaluate
    from mensura.evaluate.judged import read_judged
    from mensura.evaluate.metrics import DEFAULT_METRICS
    from mensura.search.stages import pipeline

    chosen = pipeline(mode, fusion=fusion)
    data = read_judged(judged, split)
    embedder = _embedder(model, precision, set_name, home)
    with (
        common.embedding_bar(len(data.documents) + len(data.queries)) as advance,
        _store(store, embedder.space.dimensions) as filled,
    ):
        result = evaluate(
            data,
            embedder,
            filled,
            chosen,
            metrics=tuple(metric or DEFAULT_METRICS),
            chunks=chunks,
            drop_same_id=drop_same_id,
            advance=advance,
        )
    if json:
        common.print_json(result.to_dict(per_query=per_query))
    else:
        _show(result, per_query=per_query)


def _embedder(model: str | None, precision: Any, set_name: str, home: Path | None) -> Any:
    from mensura.embedders.registry import Registry
    from mensura.home import with_precision

    if set_name:
        with common.existing_home(home) as opened:
            return opened.embedder(set_name)
    models = Registry()
    return models.get(with_precision(model or models.default_name, precision))


@contextmanager
def _store(name: str, dimensions: int) -> Iterator[Store]:
    """A store for the time of the evaluation, beside where one would work."""
    from mensura import plugins

    backend = plugins.load("mensura.stores.backends", name)
    with (
        tempfile.TemporaryDirectory(prefix=".mensura-eval-", dir=Path.cwd())
        if name != "memory"
        else _nowhere() as place
    ):
        yield backend.open_store(Path(place), "eval", dimensions, create=True)


@contextmanager
def _nowhere() -> Iterator[str]:
    yield "."


def _show(result: Evaluation, *, per_query: bool) -> None:
    from rich import box
    from rich.table import Table

    out = common.console()
    out.print(
        f"[bold]{result.judged}[/bold] · {result.space} · {result.pipeline.mode} · {len(result.per_query):,} queries"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if per_query:
        table.add_column("query")
    for name in result.metrics:
        table.add_column(name, justify="right")
    for query, row in result.per_query.items() if per_query else ():
        table.add_row(query, *(f"{value:.4f}" for value in row.values()))
    mean = (f"[bold]{value:.4f}[/bold]" for value in result.metrics.values())
    table.add_row(*(["[bold]mean[/bold]"] if per_query else []), *mean)
    out.print(table)
    out.print(f"[dim]embedding {result.embed_seconds:.1f} s, searching {result.search_seconds:.1f} s[/dim]")
