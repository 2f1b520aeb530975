from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, words
from embassay.cli.tables import indented
from embassay.home import DEFAULT_SET

if TYPE_CHECKING:
    from rich.console import Console

    from embassay.search.index import SearchResult
    from embassay.types import Hit

NEEDS_ARGUMENTS = True


def command(
    query: Annotated[str, typer.Argument(help="What you look for, in your own words.")],
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many hits.")] = 10,
    mode: Annotated[str, typer.Option(metavar="MODE", help="hybrid, dense or lexical.")] = "hybrid",
    where: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILTER", help='Only matching chunks: path ~ "docs/*.md" and year >= 2024'),
    ] = None,
    fusion: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="How hybrid joins its arms: convex (default), zscore, rrf."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show where each arm ranked a hit.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Print whole chunks, not snippets.")] = False,
    set_name: common.SetOption = DEFAULT_SET,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Search a set by meaning and by words.

    \b
    embassay search "how do I rotate a key" -k 5 --explain
    embassay search "timeout" --mode lexical --where 'path ~ "docs/**"'
    embassay search "refund" --json | jq '.hits[].path'
    """
    from embassay.search.stages import pipeline

    chosen = pipeline(mode, k, fusion=fusion)
    with common.existing_home(home) as opened:
        result = opened.search(query, where=where, set=set_name, pipeline=chosen)
        root = opened.folder.parent
    if json:
        common.print_json(result.to_dict())
    else:
        _show(result, root, explain=explain, full=full)


def _show(result: SearchResult, root: Path, *, explain: bool, full: bool) -> None:
    out = common.console()
    for notice in result.notices:
        common.messages().print(notice, style="yellow")
    if explain:
        out.print(f"{result.pipeline}  ·  {result.space}  ·  {result.took_ms:.0f} ms\n", style="dim")
    if not result.hits:
        out.print("Nothing found.")
    for hit in result.hits:
        _show_hit(out, hit, result.query, root, explain=explain, full=full)


def _show_hit(out: Console, hit: Hit, query: str, root: Path, *, explain: bool, full: bool) -> None:
    from rich.text import Text

    from embassay.search.snippet import highlight, snippet

    head = Text(f"{hit.rank:>2}  ")
    head.append(f"{words.shown_path(hit.chunk.path, root)}:{hit.chunk.lines[0]}", "bold cyan")
    if hit.chunk.section:
        head.append(f"  {hit.chunk.section}", "dim")
    out.print(head)
    if explain:
        arms = "   ".join(f"{name} #{arm.rank} ({arm.score:.3f})" for name, arm in hit.arms.items())
        out.print(Text(f"    score {hit.score:.3f}   {arms}", "magenta"))
    text = hit.chunk.text if full else snippet(hit.chunk.text, query)
    body = Text()
    for piece, marked in highlight(text, query):
        body.append(piece, "bold yellow" if marked else "")
    out.print(indented(body, 4))
    out.print()
