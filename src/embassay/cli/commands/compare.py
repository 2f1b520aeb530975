from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress
from embassay.cli.exits import ExitCode

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet

NEEDS_ARGUMENTS = True


def command(
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            help="Two or more, the one in use first: MODEL or SET with any of @int8 @hybrid @dims=256 @fusion=rrf, or "
            "with a whole search, as 'minilm@dense(200) | lexical(200) >> rrf'.",
            metavar="[CANDIDATE...]",
        ),
    ] = None,
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Judged data, as embassay judge new makes it."),
    ] = None,
    set_a: Annotated[Optional[str], typer.Option("--set-a", metavar="NAME", help="The set in use.")] = None,  # noqa: UP045
    set_b: Annotated[Optional[str], typer.Option("--set-b", metavar="NAME", help="The set to try.")] = None,  # noqa: UP045
    queries: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            metavar="FILE", help="For sets: a query a line, or JSON lines of query and relevant_docs or clicked."
        ),
    ] = None,
    mode: Annotated[
        str, typer.Option(metavar="MODE", help="The mode of candidates that name none: dense, hybrid or lexical.")
    ] = "dense",
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="M",
            help="A metric; repeat it for more, the first one decides. Default: nDCG@10 R@100 RR@10.",
        ),
    ] = None,
    min_effect: Annotated[
        float, typer.Option(metavar="X", help="Least gain on the first metric that is worth a switch.")
    ] = 0.01,
    sure: Annotated[
        bool,
        typer.Option("--sure", help="The lower bound of the interval has to reach --min-effect, not the mean alone."),
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="KIND",
            help="Slices: source, length, language of the documents, or a field of their metadata; repeat it for more.",
        ),
    ] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Ask with typos, in another case and as keywords as well.")
    ] = False,
    max_p95_ms: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-p95-ms", metavar="MS", help="Budget for the latency of a query, 95th percentile."),
    ] = None,
    max_mb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-mb", metavar="MB", help="Budget for the vectors of a million chunks."),
    ] = None,
    max_usd: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-usd", metavar="USD", help="Budget for a million tokens."),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write a report for a browser, in one HTML file."),
    ] = None,
    split: common.SplitOption = None,
    chunks: common.ChunksOption = False,
    drop_same_id: common.DropOption = False,
    store: common.StoreOption = "memory",
    per_query: Annotated[bool, typer.Option("--per-query", help="With --json: scores of every query.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Is B better than A on your data? A verdict with statistics and costs.

    Documents are embedded once for each model, and kept in the cache: a run that was stopped goes on where it was. The
    verdict is switch, keep or undecided.

    \b
    embassay compare minilm BAAI/bge-small-en-v1.5 --judged judged/
    embassay compare minilm minilm@int8 --judged judged/ --report report.html
    embassay compare minilm minilm@hybrid --judged judged/ --by length --by source
    embassay compare minilm@hybrid 'minilm@dense(200) | lexical(200) >> zscore' --judged judged/
    embassay compare --set-a docs --set-b docs-bge --queries saved_queries.txt
    """
    from embassay.cli import verdicts
    from embassay.errors import UsageError
    from embassay.evaluate.compare.opening import Options, compare
    from embassay.evaluate.compare.paired import METRICS
    from embassay.evaluate.compare.verdict import Budgets
    from embassay.files import check_writable

    names = [*filter(None, (set_a, set_b)), *(candidates or [])]
    data = _data(judged, queries, split)
    if isinstance(data, list):
        if report:
            raise UsageError("a report needs judged queries.", remedy="Leave --report out, or give relevant_docs.")
        _agreement(names, data, home, mode, json=json)
        return
    for count, what in ((len(data.unjudged), "judgments"), (len(data.unanswered), "a relevant document")):
        if count:
            common.messages().print(f"{count:,} queries without {what} are left out.", style="yellow")
    if report:
        check_writable(report)
    budgets = Budgets(max_p95_ms, None if max_mb is None else max_mb * 1e6, max_usd)
    with progress.bar(None) as bar, common.new_stores(store, home) as new_store:
        found = compare(
            names,
            data,
            home=home,
            metrics=tuple(metric or METRICS),
            options=Options(mode, chunks, drop_same_id, new_store, robustness),
            min_effect=min_effect,
            sure=sure,
            by=tuple(dict.fromkeys(by or ())),
            budgets=budgets,
            advance=bar,
            started=bar.expect,
        )
    if report:
        from embassay.evaluate.report.page import write_report

        write_report(found, report)
    if json:
        common.print_json(found.to_dict(per_query=per_query))
    else:
        verdicts.show(found, judged)
    if report:
        common.messages().print(f"Report: {report}")
    if any(row.error for row in found.rows):
        raise typer.Exit(ExitCode.FAILED)


def _data(judged: Path | None, queries: Path | None, split: str | None) -> JudgedSet | list[str]:
    from embassay.errors import UsageError
    from embassay.evaluate.data.judged import read_judged
    from embassay.evaluate.data.saved import read_queries

    if (judged is None) == (queries is None):
        raise UsageError(
            "say on what to compare: --judged DIR, or --queries FILE for sets.",
            remedy=remedy.command("judge new", "FOLDER", out="judged", say="{} makes judged data from your documents."),
        )
    return read_judged(judged, split) if judged else read_queries(queries)  # type: ignore[arg-type]


def _agreement(names: list[str], queries: list[str], home: Path | None, mode: str, *, json: bool) -> None:
    """Queries that nobody judged: where two sets answer alike."""
    from embassay.cli import verdicts
    from embassay.errors import UsageError
    from embassay.evaluate.compare.opening import compare_sets

    if len(names) != 2:
        raise UsageError(
            "queries without judgments compare exactly two sets.",
            remedy=remedy.option("set_a", "NAME") + remedy.option("set_b", "NAME"),
        )
    with progress.bar(2 * len(queries)) as bar:
        found = compare_sets(names[0], names[1], queries, home=home, mode=mode, advance=bar)
    if json:
        common.print_json(found.to_dict())
    else:
        verdicts.show_agreement(found)
