from __future__ import annotations

from typing import Annotated, Any

import typer

from embassay.cli import common
from embassay.cli.tables import facts, table, text

NEEDS_ARGUMENTS = True
ASKED = ("dimensions", "max_tokens", "prompts", "languages", "licence", "commercial", "normalised")
"""Shown even where they are not known."""
LAST = ("notes", "sources", "price_source")
SHOWN_APART = "scores"


def command(
    model: Annotated[str, typer.Argument(help="An id of the catalog, or a name of embassay.yaml.", metavar="MODEL")],
    json: common.JsonOption = False,
) -> None:
    """Show all that is known of a model or a reranker, with its sources: of each score, too, who published it.

    A Hugging Face id without a card is read from the model's own files, where they are on this machine.

    \b
    embassay models show BAAI/bge-small-en-v1.5
    embassay models show openai/text-embedding-3-small --json
    """
    data = _found(model)
    if json:
        common.print_json(data)
    else:
        _show(data)


def _found(model: str) -> dict[str, object]:
    from embassay.errors import ModelNotFound

    with common.opened_session() as session:
        if model in session.models.names():
            card = session.models.card(model)
            if card is None:
                raise ModelNotFound(
                    f"{model} is configured, but no card knows what it runs.",
                    remedy="Name one with card: ID, or add your own under cards:.",
                )
            return card.to_dict()
        try:
            return session.models.catalog.show(model).to_dict()
        except ModelNotFound as unknown:
            if "/" not in model:
                raise
            from embassay.engine.card import card_of_files
            from embassay.errors import ModelError

            try:
                return card_of_files(model).to_dict()
            except ModelError:
                raise unknown from None


def _show(data: dict[str, object]) -> None:
    """Print what is known of a model. Of what everybody asks for it is also said where it is not known."""
    names = [name for name in data if name not in ("id", *LAST)] + [name for name in LAST if data.get(name)]
    names = [name for name in names if name != SHOWN_APART]
    asked = [name for name in names if data[name] not in (None, "", [], (), {}, False) or name in ASKED]
    out = common.console()
    out.print(text(str(data["id"]), "bold"))
    out.print(facts((name.replace("_", " "), _shown(name, data[name])) for name in asked))
    scores = data.get(SHOWN_APART)
    if isinstance(scores, list) and scores:
        _show_scores(scores)


def _show_scores(scores: list[dict[str, Any]]) -> None:
    """Scores by domain, and beside each the number of its source."""
    sources = list(dict.fromkeys(_source(score) for score in scores))
    rows = [[*_cells(score), str(sources.index(_source(score)) + 1)] for score in scores]
    rows.sort(key=lambda row: (row[2] or "~", row[3]))
    out = common.console()
    out.print(table(("score", "x 100", "domain", "language", "source"), rows, wrap=("domain",)))
    for number, source in enumerate(sources, 1):
        out.print(text(f"{number}  {source}", "dim"))


def _cells(score: dict[str, Any]) -> list[str]:
    return [score["task"], f"{score['value']:g}", ", ".join(score["domains"]), ", ".join(score["languages"])]


def _source(score: dict[str, Any]) -> str:
    said = [score["source"], score["date"], "by its makers" if score["makers"] else "", score["note"]]
    return ", ".join(filter(None, said))


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "prompts" and not value:
        return "none"
    if value in (None, "", [], (), {}):
        return "unknown"
    if isinstance(value, dict):
        return "  ".join(f"{k} {v!r}" if isinstance(v, str) else f"{k} {v}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
