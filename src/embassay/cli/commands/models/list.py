from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard


WIDE = 100
"""Columns from which languages and licences are shown too."""


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
    with common.open_registry() as registry:
        catalog = registry.catalog
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
    from rich import box
    from rich.table import Table

    out = common.console()
    if not cards:
        out.print("No model of the catalog is all that.")
        return
    wide = out.width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold", min_width=20)
    for name, width in (("dims", 5), ("tokens", 7), ("MB", 6), ("BEIR", 4), ("$/M", 4)):
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for name in ("languages", "licence") if wide else ():
        table.add_column(name, overflow="fold")
    for card in cards:
        table.add_row(*_cells(card)[: 8 if wide else 6])
    out.print(table)
    notes = ["BEIR: mean nDCG@10 x 100 over 15 tasks, as published or computed. $/M: a million tokens."]
    if wide:
        notes.append("NC: no commercial use.")
    if any(card.retired for card in cards):
        notes.append("† retired.")
    out.print(f"[dim]{common.count(len(cards), 'model')}. {' '.join(notes)}[/dim]")


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


def _show_rerankers(cards: list) -> None:  # type: ignore[type-arg]
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("reranker", "tokens", "MB", "languages", "licence", "price"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("tokens", "MB") else "left")
    for card in cards:
        table.add_row(
            card.id, _number(card.max_tokens), _number(card.size_mb), " ".join(card.languages), card.licence, card.price
        )
    common.console().print(table)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
