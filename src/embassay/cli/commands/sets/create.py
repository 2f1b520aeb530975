from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, words
from embassay.cli.runs import waiting
from embassay.errors import UsageError

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    paths: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(help="Files and folders to put into it.", metavar="[PATHS]..."),
    ] = None,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    chunk_tokens: common.ChunkTokensOption = None,
    language: common.LanguageOption = None,
    truncate_dim: common.TruncateOption = None,
    dtype: common.DtypeOption = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Keep the vectors of tokens as well, for maxsim.")] = False,
    auto_embed: Annotated[
        str, typer.Option("--auto-embed", metavar="RULES", help="on_create, on_update, or both with a comma between.")
    ] = "",
    of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--of", metavar="SET", help="Make a view of this set, which shows what passes --where."),
    ] = None,
    where: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILTER", help="Of a view: what it shows, such as 'lang = \"de\"'."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make a set, and say when it embeds: on_create embeds documents that are new, on_update those that changed.

    Documents that no rule has embedded are stored and found by words only until `embassay index --set SET`. With --of
    it is a view of another set, without vectors of its own: it shows what passes a filter, and follows that set.

    \b
    embassay sets create fast --model all-MiniLM-L6-v2 --auto-embed on_create,on_update docs
    embassay sets create small --model openai/text-embedding-3-small --truncate-dim 256 --dtype float16
    embassay sets create later docs
    embassay sets create faq-de --of docs --where 'lang = "de"'
    """
    rules = [rule.strip() for rule in auto_embed.split(",") if rule.strip()]
    making = {"model": model, "precision": precision, "chunk_tokens": chunk_tokens, "language": language}
    making |= {"truncate_dim": truncate_dim, "dtype": dtype, "tokens": tokens}
    if of is not None or where is not None:
        asked = [name for name, value in (making | {"auto_embed": auto_embed, "paths": paths}).items() if value]
        _view(name, of, where, asked, home, json=json)
        return
    with common.opened_home(home, create=True) as opened:
        report = opened.create_set(name, paths or (), auto_embed=rules, **making)  # type: ignore[arg-type]
        found = opened.describe(name)
    if json:
        common.print_json({"set": name, "auto_embed": rules, "indexed": report and report.to_dict()})
        return
    embedded = report.embedded if report else 0
    held = f"{words.count(found.documents, 'document')}, {words.count(found.chunks, 'chunk')}"
    common.console().print(f"Made set {name} in {found.space}: {held}, {embedded:,} embedded.")
    if found.waiting:
        common.console().print(waiting(name, found.waiting))


def _view(name: str, of: str | None, where: str | None, asked: list[str], home: Path | None, *, json: bool) -> None:
    """`asked`: what is asked for besides, which only sets of their own have. Raises UsageError."""
    if of is None or where is None or asked:
        what = f"it cannot be asked for {', '.join(asked)}." if asked else "it needs --of SET and --where FILTER."
        raise UsageError(
            f"a view shows what of another set passes a filter: {what}",
            remedy=remedy.command("sets create", name, of=of or "SET", where=where or "FILTER"),
        )
    from embassay.sets.status import kind_of

    with common.opened_home(home) as opened:
        notices = opened.create_view(name, of=of, where=where)
        found = opened.describe(name)
    if json:
        common.print_json({"set": name} | kind_of(found.view) | {"notices": [*notices]})
        return
    held = f"{words.count(found.documents, 'document')}, {words.count(found.chunks, 'chunk')}"
    common.console().print(f"Made {name}, a view of {found.view.parent if found.view else of}: {held}.")
    common.tell(notices)
