"""Where today's facts contradict a tree: what is said of a model that a leaf names. Each remark is a row of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from embassay.catalog.card import ModelCard
from embassay.catalog.hosts import hosted_copies
from embassay.catalog.machine import Machine
from embassay.catalog.runnable import runs_here

SLOW_QUERY_MS = 500.0
"""A query that takes longer on two cores is felt by whoever waits: such a model wants a GPU."""
NAMED = 3
"""Models that are named in a remark; of more it is said how many."""

Cards = Mapping[str, ModelCard]


def _retired(card: ModelCard, _: Cards) -> str:
    return f"retired on {card.retired}" if card.retired else ""


def _untrained(card: ModelCard, _: Cards) -> str:
    return f"not trained for retrieval: {card.warning}" if card.warning else ""


def _superseded(card: ModelCard, cards: Cards) -> str:
    if not card.superseded_by:
        return _newer(card, cards)
    successor = cards.get(card.superseded_by)
    when = f" ({successor.released})" if successor and successor.released else ""
    newest = _newer(card, cards)
    return f"superseded by {card.superseded_by}{when}" + (f"; {newest}" if newest else "")


def _newer(card: ModelCard, cards: Cards) -> str:
    """The newest model of its provider that does the same work; of open weights a family has sizes, not generations."""
    if card.open_weights:
        return ""
    alike = [
        other
        for other in cards.values()
        if not other.open_weights
        and (other.provider, other.domain) == (card.provider, card.domain)
        and card.released < other.released
        and not (other.retired or other.warning)
        and other.id != card.superseded_by
        and _reaches_as_far(other, card)
    ]
    if not card.released or not alike:
        return ""
    newest = max(alike, key=lambda other: (other.released, other.retrieval or 0.0, other.dimensions or 0))
    return f"newer of its provider: {newest.id} ({newest.released})"


def _reaches_as_far(other: ModelCard, card: ModelCard) -> bool:
    """Whether it speaks the languages of the first, and reads as many tokens."""
    speaks = all(other.speaks(language) for language in card.languages) if other.languages else not card.languages
    return speaks and (other.unlimited_tokens or (other.max_tokens or 0) >= (card.max_tokens or 0))


def _slow(card: ModelCard, _: Cards) -> str:
    ms = Machine().query_ms(card) if card.open_weights else None
    slow = ms is not None and ms > SLOW_QUERY_MS
    return f"needs a GPU: a query takes about {(ms or 0) / 1000:.1f} s on 2 cores" if slow else ""


def _long_inputs(card: ModelCard, _: Cards) -> str:
    said = next((part for part in card.notes.split("; ") if "not recommended" in part), "")
    return f"{said.removeprefix('card: ')}" if said else ""


def _licence(card: ModelCard, _: Cards) -> str:
    if card.commercial is False:
        return f"its licence, {card.licence}, forbids commercial use"
    return "" if card.licence else "its licence is not known"


def _remote_code(card: ModelCard, _: Cards) -> str:
    needs = card.open_weights and card.trust_remote_code and not runs_here(card)
    return "runs only with code from its repository" if needs else ""


REMARKS: tuple[Callable[[ModelCard, Cards], str], ...] = (
    _retired, _untrained, _superseded, _slow, _long_inputs, _licence, _remote_code,
)  # fmt: skip


def _cheapest(card: ModelCard, cards: Cards) -> str:
    """Held against every price of the catalog, those of open weights at companies that run them included."""
    price = card.usd_per_million_tokens
    if price is None or card.open_weights:
        return ""
    cheaper = sorted((usd, name) for name, usd in _prices(cards.values()) if usd < price)
    alike = sorted(name for name, usd in _prices(cards.values()) if usd == price and not name.startswith(card.id))
    said = f"${price:g} a million tokens"
    if cheaper:
        return f"{said}; cheaper: {_listed(f'{name} ${usd:g}' for usd, name in cheaper)}"
    return f"{said}, and none costs less; as cheap: {_listed(alike)}" if alike else ""


def _prices(cards: Iterable[ModelCard]) -> Iterator[tuple[str, float]]:
    for card in cards:
        if card.retired:
            continue
        if card.usd_per_million_tokens is not None:
            yield card.id, card.usd_per_million_tokens
        for copy in hosted_copies(card):
            yield f"{card.id} at {copy.provider}", copy.usd_per_million_tokens or 0.0


def _best(card: ModelCard, cards: Cards) -> str:
    mine = card.retrieval
    if mine is None:
        return "no published mean over BEIR places it"
    better = sorted(
        ((other.retrieval or 0.0, other.id) for other in cards.values() if (other.retrieval or 0.0) > mine),
        reverse=True,
    )
    return f"{mine:.1f} on BEIR; higher: {_listed(f'{name} {score:.1f}' for score, name in better)}" if better else ""


CLAIMS: Mapping[str, Callable[[ModelCard, Cards], str]] = {"cheapest": _cheapest, "best": _best}
"""What a leaf may take its models for, and what the catalog says to that."""


def remarks(card: ModelCard, claims: Iterable[str], cards: Cards) -> list[str]:
    """What today's facts say of a model that a leaf names, and of what the leaf claims."""
    said = [remark(card, cards) for remark in REMARKS] + [CLAIMS[claim](card, cards) for claim in claims]
    return [one for one in said if one]


def _listed(names: Iterable[str]) -> str:
    """The first names, and how many there are besides."""
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
