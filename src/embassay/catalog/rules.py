"""Hard constraints: which models cannot be used for what a user needs, and why. Nothing here ranks models.

Every constraint is a row of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from embassay.catalog.card import ModelCard
from embassay.catalog.evidence import is_scored
from embassay.catalog.machine import HOSTED_QUERY_MS, Machine
from embassay.catalog.runnable import runs_here

Rerank = Literal["none", "llm", "cross-encoder"]
CPU_QUERY_MS = 150.0
"""Most milliseconds a query may take on a CPU where no limit is given: a slower model takes days to index what others
do in an hour."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a user asks of a model. A field that is empty or None is no constraint."""

    hosted: bool = False
    """Only models that somebody else runs."""
    privacy: bool = False
    """No text may leave the user's machines."""
    api: bool = True
    """Whether hosted models may be used at all."""
    languages: tuple[str, ...] = ()
    commercial: bool = False
    """Whether the licence has to allow commercial use."""
    licences: tuple[str, ...] = ()
    gpu: bool = False
    max_mb: float | None = None
    max_latency_ms: float | None = None
    max_storage_gb: float | None = None
    """Of a million float32 vectors."""
    max_usd: float | None = None
    """Per million tokens."""
    chunk_tokens: int | None = None
    """95th percentile of the user's own chunks."""
    domain: str = ""
    rerank: Rerank = "none"
    remote_code: bool = False
    """Whether code from a model's repository may run."""
    machine: Machine = field(default_factory=Machine)


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint on models."""

    name: str
    why: Callable[[ModelCard, Needs], str]
    """Says in words why a model is left out; an empty text keeps it."""


def _latency(card: ModelCard, needs: Needs) -> str:
    """Where a query is computed, and whether that is fast enough."""
    budget = needs.max_latency_ms
    if not card.open_weights:
        over = budget is not None and budget < HOSTED_QUERY_MS
        return (
            f"a hosted model answers in about {HOSTED_QUERY_MS:.0f} ms, over the {budget:g} ms allowed" if over else ""
        )
    if needs.gpu:
        return ""
    estimate = needs.machine.query_ms(card)
    if estimate is None:
        return "its size is not known, so that its latency cannot be told" if budget is not None else ""
    limit = budget if budget is not None else CPU_QUERY_MS
    return f"about {estimate:,.0f} ms a query on this CPU, over {limit:g} ms" if estimate > limit else ""


def _language(card: ModelCard, needs: Needs) -> str:
    for language in needs.languages:
        speaks = card.speaks(language)
        if speaks is None:
            return "its languages are not stated in any source read"
        if not speaks:
            return f"it was made for {', '.join(card.languages)}, not {language}"
    return ""


def _price(card: ModelCard, needs: Needs) -> str:
    if needs.max_usd is None or card.open_weights:
        return ""
    price = card.usd_per_million_tokens
    if price is None:
        return "its price is not known"
    return f"${price:g} per million tokens, over ${needs.max_usd:g}" if price > needs.max_usd else ""


def _storage(card: ModelCard, needs: Needs) -> str:
    if needs.max_storage_gb is None:
        return ""
    if card.dimensions is None:
        return "its dimensions are not known"
    fewest = min([card.dimensions, *card.matryoshka, *((card.matryoshka_range or ())[:1])])
    smallest = fewest * 4e6 / 1e9
    over = smallest > needs.max_storage_gb
    cut = f" even at {fewest} dimensions" if fewest < card.dimensions else ""
    return f"{smallest:.2f} GB a million float32 vectors{cut}, over {needs.max_storage_gb:g} GB" if over else ""


def _length(card: ModelCard, needs: Needs) -> str:
    if needs.chunk_tokens is None or card.unlimited_tokens:
        return ""
    if card.max_tokens is None:
        return "its token limit is not known"
    over = card.max_tokens < needs.chunk_tokens
    return f"it reads {card.max_tokens:,} tokens, your chunks have up to {needs.chunk_tokens:,}" if over else ""


def _memory(card: ModelCard, needs: Needs) -> str:
    if needs.max_mb is None or not card.open_weights:
        return ""
    if card.size_mb is None:
        return "its size is not known"
    return f"{card.size_mb:,} MB, over {needs.max_mb:g} MB" if card.size_mb > needs.max_mb else ""


def _licence(card: ModelCard, needs: Needs) -> str:
    if needs.commercial and card.commercial is not True:
        return f"{card.licence} forbids commercial use" if card.commercial is False else "its licence is not known"
    if needs.licences and card.licence not in needs.licences:
        return f"its licence is {card.licence or 'not known'}"
    return ""


def _runs(card: ModelCard, needs: Needs) -> str:
    if card.open_weights and card.trust_remote_code and not runs_here(card) and not needs.remote_code:
        return "it runs only with code from its repository (remote_code allows that)"
    return ""


RULES = (
    Rule("retired", lambda c, n: f"retired on {c.retired}" if c.retired else ""),
    Rule("no retrieval model", lambda c, n: c.warning),
    Rule("privacy", lambda c, n: f"texts would go to {c.provider}" if n.privacy and not c.open_weights else ""),
    Rule("open weights", lambda c, n: "its weights are to be run by yourself" if n.hosted and c.open_weights else ""),
    Rule("hosted", lambda c, n: f"only {c.provider} runs it" if not n.api and not c.open_weights else ""),
    Rule("languages", _language),
    Rule("licence", _licence),
    Rule("memory", _memory),
    Rule("token length", _length),
    Rule("code", _runs),
    Rule("price", _price),
    Rule("storage", _storage),
    Rule("latency", _latency),
    Rule("domain", lambda c, n: f"made for {c.domain}" if _made_for_another_domain(c, n) else ""),
    Rule(
        "evidence",
        lambda c, n: "" if is_scored(c) or made_for_domain(c, n) else "no published retrieval score was found",
    ),
)
"""Applied in this order; the first that speaks is the reason given."""


def excluded(card: ModelCard, needs: Needs) -> str:
    """The name of the first rule that leaves `card` out, and its reason; empty if no rule does."""
    return next((f"{rule.name}: {why}" for rule in RULES if (why := rule.why(card, needs))), "")


def made_for_domain(card: ModelCard, needs: Needs) -> bool:
    """Whether the model was made for the domain that was asked for."""
    return bool(needs.domain) and needs.domain in (card.domain, *card.also_domains)


def _made_for_another_domain(card: ModelCard, needs: Needs) -> bool:
    return card.domain not in ("", "general", needs.domain) and needs.domain not in card.also_domains
