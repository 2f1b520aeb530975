from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress
from embassay.cli.exits import ExitCode
from embassay.cli.tables import table, text
from embassay.text import printable

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.evaluate.score.evaluation import Evaluation
    from embassay.evaluate.score.gates import GateResult
    from embassay.models.registry import Registry
    from embassay.search.fusion import Fusion
    from embassay.search.pipeline import Pipeline

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[Path, typer.Argument(help="Judged data, as embassay judge new makes it.", metavar="JUDGED_DIR")],
    mode: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="MODE", help="hybrid (default), dense or lexical."),
    ] = None,
    split: common.SplitOption = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", metavar="M", help="A metric; repeat it for more. Default: nDCG@10 R@100 RR@10 P@5 AP@100."
        ),
    ] = None,
    chunks: common.ChunksOption = False,
    drop_same_id: common.DropOption = False,
    per_query: Annotated[bool, typer.Option("--per-query", help="Show the scores of every query as well.")] = False,
    fusion: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="NAME", help="How hybrid joins what its arms found: adaptive (default), convex, zscore, rrf."
        ),
    ] = None,
    pipeline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="STAGES", help="The whole search in words, instead of --mode and --fusion."),
    ] = None,
    store: common.StoreOption = "memory",
    baseline: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="An earlier --json of the same judged data, for gates on a drop."),
    ] = None,
    gate: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="CONDITIONS",
            help=f'Exit code {ExitCode.GATE_FAILED} unless all hold: "nDCG@10 >= 0.70, upper(drop) <= 0.02"; lower() '
            "and upper() are the ends of the 95 % interval.",
        ),
    ] = None,
    junit: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--junit", metavar="FILE", help="Write the gates as JUnit XML."),
    ] = None,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    set_name: common.ModelOfSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Score a model and a search mode on judged data.

    Judged data is a folder of corpus.jsonl, queries.jsonl and qrels/<split>.tsv, or files of TREC or JSON lines.
    Documents are embedded anew, with the model that is named, or with that of a set.

    \b
    embassay eval judged/ --mode hybrid
    embassay eval judged/ --mode dense --precision int8 --json > baseline.json
    embassay eval judged/ --pipeline 'dense(200) | lexical(200) >> zscore'
    embassay eval judged/ --baseline baseline.json --gate "drop <= 0.02"
    """
    from embassay.errors import UsageError
    from embassay.evaluate.data.judged import read_judged
    from embassay.evaluate.report.junit import junit_xml
    from embassay.evaluate.score.evaluation import evaluate
    from embassay.evaluate.score.gates import check_data, check_gates, parse_gate, read_baseline
    from embassay.evaluate.score.metrics import DEFAULT_METRICS, canonical
    from embassay.files import check_writable, write_whole

    chosen = _pipeline(pipeline, mode, fusion)
    metrics = canonical(tuple(metric or DEFAULT_METRICS))
    if (baseline or junit) and gate is None:
        raise UsageError("--baseline and --junit go with --gate.", remedy=remedy.option("gate", "drop <= 0.02"))
    before = read_baseline(baseline) if baseline else None
    if junit:
        check_writable(junit)
    conditions = parse_gate(gate, metrics, before) if gate is not None else []
    metrics = canonical((*metrics, *(condition.metric for condition in conditions)))
    data = read_judged(judged, split)
    if before:
        check_data(before, data)
    with (
        _opened(model, precision, set_name, home) as (embedder, models, card, fitted),
        progress.bar(len(data.documents) + len(data.queries)) as advance,
        common.new_stores(store, home) as new_store,
    ):
        result = evaluate(
            data,
            embedder,
            new_store(embedder.space.dimensions, embedder.space.similarity, data.language),
            chosen.joined_by(fitted) if fitted and pipeline is None and fusion is None else chosen,
            metrics=metrics,
            chunks=chunks,
            drop_same_id=drop_same_id,
            reranker=lambda asked: models.rerankers.get(asked),  # noqa: PLW0108 - most need none
            card=card,
            advance=advance,
        )
    checked = check_gates(conditions, result, before)
    if junit:
        write_whole(junit, junit_xml(checked, result))
    if json:
        gates = {} if gate is None else {"gates": [found.to_dict() for found in checked]}
        common.print_json(result.to_dict(per_query=per_query) | gates)
    else:
        _show(result, data, per_query=per_query)
        _show_gates(checked)
    if not all(found.ok for found in checked):
        raise typer.Exit(ExitCode.GATE_FAILED)


def _pipeline(written: str | None, mode: str | None, fusion: str | None) -> Pipeline:
    """The pipeline as it is written, or that of a mode. Raises UsageError for both at once."""
    from embassay.errors import UsageError
    from embassay.evaluate.compare.candidate import measured
    from embassay.search.modes import pipeline

    if written is None:
        return pipeline("hybrid" if mode is None else mode, fusion=fusion)
    if mode is not None or fusion is not None:
        raise UsageError("--pipeline says the mode and the fusion itself.", remedy="Leave --mode and --fusion out.")
    return measured(written)


@contextmanager
def _opened(
    model: str | None, precision: str | None, set_name: str, home: Path | None
) -> Iterator[tuple[Embedder, Registry, ModelCard | None, Fusion | None]]:
    """The model of a set, or one by its name, with the other models, its card, and the fusion of a set that has one of
    its own, for the time of the block."""
    from embassay.models.reference import uncut, with_precision

    if set_name:
        with common.opened_home(home, keep_local=True) as opened:
            models, of_set = opened.session.models, opened.set(set_name)
            yield of_set.embedder(), models, models.card(uncut(of_set.spec().model)), of_set.fusion
        return
    with common.opened_session(home, keep_local=True, create=True) as session:
        models = session.models
        name = with_precision(model or models.default_name, precision)
        yield models.get(name), models, models.card(uncut(name)), None


def _show_gates(checked: list[GateResult]) -> None:
    for found in checked:
        line = text("holds  " if found.ok else "FAILS  ", "green" if found.ok else "bold red")
        common.console().print(line.append(f"{found.condition}: {found.detail}", "not bold default"))


def _show(result: Evaluation, data: JudgedSet, *, per_query: bool) -> None:
    out = common.console()
    what = f" · {result.space} {result.precision} · {result.pipeline.mode} · {len(result.per_query):,} queries"
    out.print(text(printable(result.judged), "bold").append(what, "not bold"))
    rows = [
        [f"{query}  {data.queries[query]}"[:60], *(f"{value:.4f}" for value in row.values())]
        for query, row in result.per_query.items()
        if per_query
    ]
    means = [text(f"{value:.4f}", "bold") for value in result.metrics.values()]
    ends = [
        [name, *(f"{bounds[at]:.4f}" for bounds in result.intervals.values())]
        for at, name in enumerate(("95 % from", "to"))
    ]
    out.print(table(("", *result.metrics), [*rows, ["mean", *means], *ends]))
    out.print(text(f"embedding {result.embed_seconds:.1f} s, searching {result.search_seconds:.1f} s", "dim"))
    if result.reranking:
        out.print(text(f"It is {result.reranking}", "dim"))
    if result.better_arm:
        out.print(text(f"{result.better_arm}.", "yellow"))
