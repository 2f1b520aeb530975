from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, words
from embassay.cli.tables import indented, line, table, text
from embassay.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from embassay.search.pipeline import Pipeline
    from embassay.search.result import SearchResult
    from embassay.search.stages.cascade import Cascade
    from embassay.search.stages.rerank import Rerank
    from embassay.search.trace import TraceStep
    from embassay.types import Hit

NEEDS_ARGUMENTS = True


def command(
    query: Annotated[str, typer.Argument(help="What you look for, in your own words.")],
    k: Annotated[Optional[int], typer.Option("-k", metavar="N", help="How many hits; default: 10.")] = None,  # noqa: UP045
    mode: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="MODE",
            help="dense: by meaning; lexical: by words; hybrid (default): by both; "
            "two_stage: by coarse vectors, then by whole ones.",
        ),
    ] = None,
    coarse_dim: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--coarse-dim", metavar="N", help="Of --mode two_stage: dimensions of the coarse vectors."),
    ] = None,
    coarse_k: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--coarse-k", metavar="N", help="Of --mode two_stage: candidates for whole vectors to rank."),
    ] = None,
    where: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILTER", help='Only chunks that match, such as: path ~ "docs/*.md" and year >= 2024'),
    ] = None,
    fusion: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="NAME", help="How hybrid joins what its arms found: adaptive (default), convex, zscore, rrf."
        ),
    ] = None,
    pipeline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="STAGES", help="The whole search in words, instead of -k, --mode and --fusion."),
    ] = None,
    group_by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FIELD", help="document: the best chunk of each; path: of each file."),
    ] = None,
    parent: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHOLE", help="Show each hit in its section or document, or in so many tokens: 800."),
    ] = None,
    min_score: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="ARM=SCORE", help="Only hits to which this arm gave so high a raw score; repeatable."),
    ] = None,
    around: Annotated[
        int, typer.Option("--context", metavar="N", help="Print so many chunks before and after each hit, too.")
    ] = 0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what each stage of the search did, and where each arm ranked a hit.")
    ] = False,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="While the set is migrated: the old model finds, the new one ranks.")
    ] = False,
    budget: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--cascade-budget-ms", metavar="MS", help="With --cascade: time to embed what is not yet; default: 200."
        ),
    ] = None,
    rerank: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--rerank", metavar="NAME", help="Score the first 50 anew by this reranker: cohere/rerank-v3.5."),
    ] = None,
    rerank_budget: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--budget-ms", metavar="MS", help="With --rerank: time for it; what is late keeps its place."),
    ] = None,
    expand: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="NAME",
            help="Ask for more than the query says, or read it anew: prf, spell, llm, hyde, multi-query; repeatable.",
        ),
    ] = None,
    query_model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Embed the query by another model that shares the space of the set."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print whole chunks, not snippets.")] = False,
    sets: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", metavar="NAME", help="The set to search; repeatable where the sets share a space."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Search a set by meaning and by words.

    \b
    embassay search "how do I rotate a key" -k 5 --explain
    embassay search "timeout" --mode lexical --where 'path ~ "docs/**"'
    embassay search "refund" --mode two_stage --coarse-dim 64 --coarse-k 100
    embassay search "refund" --json | jq '.hits[].path'
    embassay search "refund" --pipeline 'dense(50) | lexical >> rrf >> top(5)'
    embassay search "refund" --group-by document --context 1
    embassay search "refund" --parent section
    embassay search "refund" --min-score dense=0.3 --min-score lexical=4
    embassay search "refund" --expand prf
    embassay search "refnd" --expand spell
    embassay search "refund" --expand hyde --explain
    embassay search "refund" --set docs --set faq
    embassay search "refund" --set docs --cascade
    embassay search "refund" --query-model voyage/voyage-4-lite
    embassay search "refund" --rerank ./reranker --budget-ms 300
    """
    chosen = _pipeline(pipeline, mode, k, fusion, coarse_dim, coarse_k)
    least = _scores(min_score)
    with common.opened_home(home) as opened:
        result = opened.search(
            query,
            10 if k is None else k,
            mode=mode or "hybrid",
            where=where,
            set=sets,
            pipeline=chosen,
            group_by=group_by,
            parent=parent,
            min_score=least,
            context=around,
            cascade=_cascade(cascade, budget),
            rerank=_rerank(rerank, rerank_budget),
            expand=expand or (),
            query_model=query_model,
        )
        root = opened.folder.parent
    if json:
        found = result.to_dict(trace=explain)
        common.print_json(found | {"notices": [*result.notices, *opened.session.notices]})
    else:
        _show(result, root, explain=explain, full=full or around > 0 or any(hit.passage for hit in result.hits))


def _pipeline(
    written: str | None,
    mode: str | None,
    k: int | None,
    fusion: str | None,
    coarse_dim: int | None,
    coarse_k: int | None,
) -> Pipeline | None:
    """The pipeline as it is written, or as options say; None where the one of a hybrid search is meant, as the set has
    it. Raises UsageError for both at once, before a home is looked for.
    """
    from embassay.errors import UsageError
    from embassay.search.modes import HYBRID, TWO_STAGE, pipeline, two_stage
    from embassay.search.parse import parse_pipeline

    hits = 10 if k is None else k
    asked = {name: given for name, given in (("dims", coarse_dim), ("depth", coarse_k)) if given is not None}
    if asked and mode != TWO_STAGE:
        raise UsageError("--coarse-dim and --coarse-k are for --mode two_stage.", remedy="Add --mode two_stage.")
    if asked and written is None:
        return two_stage(hits, **asked)
    if written is None:
        made = pipeline(mode or HYBRID, hits, fusion=fusion)
        return None if fusion is None and mode in (None, HYBRID) else made
    if any(given is not None for given in (mode, k, fusion)):
        raise UsageError(
            "--pipeline says the mode, the fusion and the number of hits itself.",
            remedy="Leave --mode, --fusion and -k out, or --pipeline.",
        )
    return parse_pipeline(written)


def _rerank(name: str | None, budget_ms: float | None) -> Rerank | None:
    """The stage as it was asked for. Raises UsageError for a budget without a reranker, or out of its range."""
    from embassay.errors import UsageError
    from embassay.search.stages.rerank import Rerank

    if name is None:
        if budget_ms is not None:
            raise UsageError("--budget-ms is for --rerank.", remedy="Add --rerank NAME.")
        return None
    return Rerank(model=name, budget_ms=budget_ms or 0.0)


def _cascade(wanted: bool, budget_ms: float | None) -> Cascade | bool:
    """The stage as it was asked for. Raises UsageError for a budget without a cascade, or out of its range."""
    from embassay.errors import UsageError
    from embassay.search.stages.cascade import Cascade

    if budget_ms is not None and not wanted:
        raise UsageError("--cascade-budget-ms is for --cascade.", remedy="Add --cascade.")
    return Cascade(budget_ms) if budget_ms is not None else wanted


def _scores(written: Sequence[str] | None) -> dict[str, float]:
    """``dense=0.3`` as scores by arm. Raises UsageError."""
    from embassay.search.stages.min_score import read_scores

    return read_scores(" ".join(written)) if written else {}


def _show(result: SearchResult, root: Path, *, explain: bool, full: bool) -> None:
    out = common.console()
    common.tell(result.notices)
    if explain:
        by = f", asked by {result.query_space}" if result.query_space else ""
        out.print(f"{result.pipeline}  ·  {result.space}{by}  ·  {result.took_ms:.0f} ms", style="dim")
        out.print(_trace(result.trace))
    if result.cascade:
        out.print(str(result.cascade), style="dim")
    for done in result.reranked:
        out.print(text(str(done), "dim"))
    if not result.hits:
        out.print("Nothing found.")
    for hit in result.hits:
        _show_hit(out, hit, result, root, explain=explain, full=full)


def _trace(steps: Sequence[TraceStep]) -> object:
    """What each stage was given and handed on, and the milliseconds it took."""
    rows = [
        (
            step.stage,
            "the set" if step.saw is None else f"{step.saw:,}",
            f"{step.kept:,}",
            f"{step.ms:.1f}",
            f"{step.model_ms:.1f}" if step.model_ms else "",
        )
        for step in steps
    ]
    return table(("stage", "saw", "kept", "ms", "model ms"), rows)


def _show_hit(out: Console, hit: Hit, result: SearchResult, root: Path, *, explain: bool, full: bool) -> None:
    from rich.text import Text

    from embassay.ingest.languages import LANGUAGES
    from embassay.search.snippet import highlight, snippet

    query, language = result.read_as, result.language
    place = f"{words.shown_path(hit.chunk.path, root)}:{hit.chunk.lines[0]}"
    section = f"  {hit.chunk.section}" if hit.chunk.section else ""
    of_set = f"[{hit.set}] " if len(result.sets) > 1 else ""
    out.print(line(f"{hit.rank:>2}  ", (of_set, "magenta"), (place, "bold cyan"), (section, "dim")))
    if explain:
        arms = "   ".join(f"{name} #{arm.rank} ({arm.score:.3f})" for name, arm in hit.arms.items())
        out.print(line((f"    score {hit.score:.3f}   {arms}", "magenta")))
    code = PurePosixPath(hit.chunk.path).suffix in LANGUAGES
    shown = hit.chunk.text if full else snippet(hit.chunk.text, query, language=language, code=code)
    body = Text()
    body.append(printable(hit.before, lines=True), "dim")
    for piece, marked in highlight(printable(shown, lines=True), query, language):
        body.append(piece, "bold yellow" if marked else "")
    body.append(printable(hit.after, lines=True), "dim")
    out.print(indented(body, 4))
    if hit.more:
        out.print(line(("    " + words.also_at(hit, root), "dim")))
    out.print()
