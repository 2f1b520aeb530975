"""What conditions ask of a model, from its card or from a row of a table; None is unknown."""

from __future__ import annotations

from dataclasses import dataclass, fields

from embassay.catalog.card import MULTILINGUAL, ModelCard
from embassay.catalog.decisions.tree import Requirement

WORDS = {"size_mb": "size in MB", "max_tokens": "token limit", "matryoshka": "dimensions to cut to"}
"""What a fact is called where its name does not say it."""
UNBOUNDED = 10**9
"""Tokens that a model without a limit reads."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One model, in the terms of conditions."""

    id: str
    open_weights: bool | None = None
    domain: str | None = None
    languages: tuple[str, ...] | None = None
    size_mb: float | None = None
    max_tokens: float | None = None
    dimensions: float | None = None
    matryoshka: bool | None = None
    updated: str | None = None
    """YYYY-MM-DD, or only the year and the month, on which it was last changed."""
    released: str | None = None
    downloads: float | None = None
    """In a month."""
    downloads_from: str = ""
    """Whose figure that is, and of which day."""


def of_card(card: ModelCard) -> Facts:
    """What a card says. No card has been counted: downloads are known only from a table of the user's own."""
    return Facts(
        card.id,
        open_weights=card.open_weights,
        domain=card.domain or None,
        languages=card.languages or None,
        size_mb=card.size_mb,
        max_tokens=UNBOUNDED if card.unlimited_tokens else card.max_tokens,
        dimensions=card.dimensions,
        matryoshka=True if card.can_cut else None if card.matryoshka_note else False,
        released=card.released or None,
    )


FACTS = frozenset(field.name for field in fields(Facts))


def holds(condition: Requirement, facts: Facts, answer: float | None = None) -> tuple[bool | None, str]:
    """(whether a model meets a condition, what speaks against it); None where the fact is not known.

    `answer` is the number that the question was answered with, where the condition asks for that.
    """
    value = getattr(facts, condition.fact)
    if condition.since:
        return _since(condition.since, facts)
    if condition.fact == "downloads" and facts.open_weights is False:
        return False, "only its provider runs it, so that nobody downloads it"
    if value is None:
        return None, f"its {_words(condition.fact)} {_are(condition.fact)} not known"
    if isinstance(value, tuple):
        return _listed(condition, value)
    if condition.one_of or condition.none_of:
        met = (not condition.one_of or value in condition.one_of) and value not in condition.none_of
        return met, "" if met else _is(condition, value)
    least = answer if condition.at_least_answer else condition.at_least
    if least is not None and value < least:
        return False, f"{_words(condition.fact)} {value:,.0f}, at least {least:,.0f}"
    if condition.at_most is not None and value > condition.at_most:
        return False, f"{_words(condition.fact)} {value:,.0f}, at most {condition.at_most:,.0f}"
    return True, ""


def _listed(condition: Requirement, values: tuple[str, ...]) -> tuple[bool, str]:
    """A model that calls itself multilingual is taken at its word."""
    wanted = [str(one) for one in condition.one_of]
    met = any(one in values or MULTILINGUAL in values for one in wanted)
    return met, "" if met else f"made for {', '.join(values)}"


def _since(day: str, facts: Facts) -> tuple[bool | None, str]:
    """Whatever was released since then was changed since then; what was released before may have been."""
    if facts.updated is not None:
        met = facts.updated >= day[: len(facts.updated)]
        return met, "" if met else f"last changed {facts.updated}"
    if facts.released is not None and facts.released >= day[: len(facts.released)]:
        return True, ""
    since = f"released {facts.released}, and " if facts.released else ""
    return None, f"{since}when it was last changed is not known"


def _is(condition: Requirement, value: object) -> str:
    if condition.fact == "open_weights":
        return "only its provider runs it" if not value else "its weights are open"
    if condition.fact == "matryoshka":
        return "no source read says that its vectors may be cut"
    if condition.fact == "domain" and condition.one_of:
        wanted = " or ".join(map(str, condition.one_of))
        return f"made for {'no domain' if value == 'general' else value}, not for {wanted}"
    return f"made for {value}" if condition.fact == "domain" else f"its {_words(condition.fact)} is {value}"


def _words(fact: str) -> str:
    return WORDS.get(fact, fact.replace("_", " "))


def _are(fact: str) -> str:
    return "are" if fact in ("downloads", "languages", "dimensions", "matryoshka") else "is"
