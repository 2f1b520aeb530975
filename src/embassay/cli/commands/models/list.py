from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, words
from embassay.cli.tables import WIDE, table, text

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard, RerankerCard


def command(
    provider: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="P", help="Only models that this provider runs."),
    ] = None,
    open_weights: Annotated[bool, typer.Option("--open", help="Only open weights.")] = False,
    max_mb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="MB", help="Only weights of at most so much."),
    ] = None,
    language: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="LANG", help="Only models made for it: en, de, code, ..."),
    ] = None,
    mrl: Annotated[bool, typer.Option("--mrl", help="Only Matryoshka models: fewer dimensions on request.")] = False,
    rerankers: Annotated[bool, typer.Option("--rerankers", help="Rerankers instead.")] = False,
    json: common.JsonOption = False,
) -> None:
    """List the models of the catalog. An empty cell is unknown, not zero.

    \b
    embassay models list --open --max-mb 500 --language de
    embassay models list --provider openai --json
    """
    with common.opened_session() as session:
        catalog = session.models.catalog
    if rerankers:
        chosen = [c for c in catalog.rerankers.values() if provider is None or provider in c.provider_ids]
        if json:
            common.print_json([card.to_dict() for card in chosen])
        else:
            _show_rerankers(chosen)
        return
    cards = [
        card
        for card in catalog.models.values()
        if (provider is None or provider in card.provider_ids)
        and (not open_weights or card.open_weights)
        and (max_mb is None or (card.size_mb is not None and card.size_mb <= max_mb))
        and (language is None or card.speaks(language))
        and (not mrl or card.can_cut)
    ]
    if json:
        common.print_json([card.to_dict() for card in cards])
    else:
        _show(cards)


def _show(cards: list[ModelCard]) -> None:
    out = common.console()
    if not cards:
        out.print("No model of the catalog is all that.")
        return
    wide = out.width >= WIDE
    names = ("model", "dims", "tokens", "MB", "BEIR", "$/M", *(("languages", "licence") if wide else ()))
    out.print(table(names, [_cells(card)[: len(names)] for card in cards], wrap=("languages", "licence")))
    notes = ["BEIR: mean nDCG@10 x 100 over 15 tasks, as published or computed. $/M: a million tokens."]
    if wide:
        notes.append("NC: no commercial use.")
    if any(card.retired for card in cards):
        notes.append("† retired.")
    out.print(text(f"{words.count(len(cards), 'model')}. {' '.join(notes)}", "dim"))


def _cells(card: ModelCard) -> list[str]:
    return [
        f"{card.id}{' †' if card.retired else ''}",
        _number(card.dimensions),
        "any" if card.unlimited_tokens else _number(card.max_tokens),
        _number(card.size_mb),
        f"{card.retrieval:.1f}" if card.retrieval else "",
        f"{card.usd_per_million_tokens:g}" if card.usd_per_million_tokens is not None else "",
        " ".join(card.languages).replace("multilingual", "multi"),
        card.licence + (" (NC)" if card.commercial is False else ""),
    ]


def _show_rerankers(cards: list[RerankerCard]) -> None:
    out = common.console()
    names = ("reranker", "tokens", "MB", "languages", *(("licence", "price") if out.width >= WIDE else ()))
    rows = [
        [card.id, _number(card.max_tokens), _number(card.size_mb), " ".join(card.languages), card.licence, card.price]
        for card in cards
    ]
    out.print(table(names, [row[: len(names)] for row in rows], wrap=("languages", "licence", "price")))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
