from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common, words

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
    auto_embed: Annotated[
        str, typer.Option("--auto-embed", metavar="RULES", help="on_create, on_update, or both with a comma between.")
    ] = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make a set, and say when it embeds: on_create embeds documents that are new, on_update those that changed.

    Documents that no rule has embedded are stored and found by words only until `embassay index --set SET`.

    \b
    embassay sets create fast --model all-MiniLM-L6-v2 --auto-embed on_create,on_update docs
    embassay sets create later docs
    """
    rules = [rule.strip() for rule in auto_embed.split(",") if rule.strip()]
    making = {"model": model, "precision": precision, "chunk_tokens": chunk_tokens, "language": language}
    with common.opened_home(home, create=True) as opened:
        report = opened.create_set(name, paths or (), auto_embed=rules, **making)  # type: ignore[arg-type]
        found = opened.describe(name)
    if json:
        common.print_json({"set": name, "auto_embed": rules, "indexed": report and report.to_dict()})
        return
    embedded = report.embedded if report else 0
    held = f"{words.count(found.documents, 'document')}, {words.count(found.chunks, 'chunk')}"
    common.console().print(f"Made set {name} in {found.space}: {held}, {embedded:,} embedded.")
