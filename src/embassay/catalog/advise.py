"""Which model to try: hard constraints leave models out, published evidence orders the rest.

Every decision is a row of a table below: `RULES` excludes, `PREFERENCES` weighs, `FINE_TUNING` says when to train.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from embassay.catalog.card import ModelCard
from embassay.catalog.machine import HOSTED_QUERY_MS, Form, Machine, flops_per_token, forms

Rerank = Literal["none", "llm", "cross-encoder"]
ENGINE_ARCHITECTURES = frozenset({"bert", "roberta", "xlm-roberta", "mpnet", "distilbert"})
CPU_QUERY_MS = 150.0
"""On a CPU without a latency budget: a model that is slower takes days to index what others do in an hour."""
BASE_FLOPS = 2e7
"""Of all-MiniLM-L6-v2 a token: sizes are weighed in powers of ten above it."""
SHOWN = 5
UNSCORED = 50.0
"""Taken for a model of the asked domain without any score: general scores say little of its own."""
REFERENCE = "BAAI/bge-base-en-v1.5"
FEWEST_TASKS = 4
"""A model with so many of the listed retrieval tasks is placed by its distance from the reference on them."""
RETRIEVAL_TASKS = ("scifact", "nfcorpus", "fiqa2018", "arguana", "scidocs", "treccovid", "quora")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a user said. Empty or None: no constraint."""

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
    """A constraint: whom it leaves out, and why, in words; the empty string keeps a model."""

    name: str
    why: Callable[[ModelCard, Needs], str]


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


def runs_here(card: ModelCard) -> bool:
    """Whether the local engine runs it: built from its weights, or from the ONNX file of its repository."""
    return bool(_on_engine(card) or card.onnx)


def _runs(card: ModelCard, needs: Needs) -> str:
    if card.open_weights and card.trust_remote_code and not runs_here(card) and not needs.remote_code:
        return "it runs only with code from its repository (--remote-code allows that)"
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
    Rule("domain", lambda c, n: f"made for {c.domain}" if _foreign_domain(c, n) else ""),
    Rule(
        "evidence", lambda c, n: "" if evidence(c)[1] or _own_domain(c, n) else "no published retrieval score was found"
    ),
)
"""Applied in this order; the first that speaks is the reason given."""


@dataclass(frozen=True, slots=True)
class Preference:
    """Points of nDCG@10 x 100 that weigh against, or for, a model."""

    name: str
    points: Callable[[ModelCard, Needs], float]
    why: Callable[[ModelCard, Needs], str]


SIZE_POINTS: dict[Rerank, float] = {"none": 1.0, "cross-encoder": 6.0, "llm": 8.0}
"""For each power of ten in size: a stage behind orders the candidates anew, so that finding them cheaply counts."""


def _size(card: ModelCard) -> float:
    flops = flops_per_token(card)
    return max(0.0, math.log10(flops / BASE_FLOPS)) if flops else 1.5


PREFERENCES = (
    Preference(
        "size",
        lambda c, n: -SIZE_POINTS[n.rerank] * _size(c),
        lambda c, n: f"small and fast, as the {n.rerank} stage orders what it finds" if n.rerank != "none" and _size(c) < 0.7 else "",
    ),
    Preference("domain", lambda c, n: 5.0 if _own_domain(c, n) else 0.0, lambda c, n: f"made for {n.domain}" if _own_domain(c, n) else ""),
    Preference(
        "several languages", lambda c, n: 0.0,
        lambda c, n: "its published scores are English" if n.languages not in ((), ("en",)) else "",
    ),
    Preference("terms", lambda c, n: 0.0, lambda c, n: c.restriction if c.open_weights else ""),
    Preference("no extra", lambda c, n: 1.0 if _on_engine(c) else 0.0, lambda c, n: _how(c)),
)  # fmt: skip


FINE_TUNING = {
    "": "Fine-tuning is worth it once a compare on your own judged set shows that no model finds what your users mean.",
    "code": "Code: fine-tune when queries are in your own jargon; identifiers are better found by words (hybrid).",
    "legal": "Legal text: fine-tuning is worth it from about 1,000 pairs of query and passage; general models miss terms of art.",
    "medical": "Medical text: fine-tuning is worth it from about 1,000 pairs; the biomedical models listed are not trained for retrieval.",
    "biomedical": "Biomedical text: fine-tuning is worth it from about 1,000 pairs; the models listed are not trained for retrieval.",
    "scientific": "Scientific text: general models do well on SciFact and SciDocs; fine-tune only if your own judged set says otherwise.",
    "finance": "Finance: try a hosted finance model first; fine-tuning pays when filings of your own format are searched.",
}  # fmt: skip
"""By domain: when training a model is worth its trouble. Thin judgements of ours, to be checked by `embassay compare`."""


@dataclass(frozen=True, slots=True)
class Pick:
    card: ModelCard
    score: float
    why: tuple[str, ...]
    forms: tuple[Form, ...]

    def to_dict(self) -> dict[str, Any]:
        full = next((f.bytes_per_million for f in self.forms), None)
        return {
            "id": self.card.id,
            "why": list(self.why),
            "storage_bytes_per_million": full,
            "usd_per_million_tokens": 0.0 if self.card.open_weights else self.card.usd_per_million_tokens,
            "forms": [f.to_dict() for f in self.forms],
        }


@dataclass(frozen=True, slots=True)
class Advice:
    recommended: tuple[Pick, ...]
    excluded: tuple[tuple[str, str], ...]
    """(id, why)"""
    fine_tuning: str
    next: str
    """The command that measures the first picks on the user's own documents."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "recommended": [pick.to_dict() for pick in self.recommended],
            "excluded": [{"id": name, "why": why} for name, why in self.excluded],
            "fine_tuning": self.fine_tuning,
            "next": self.next,
        }


def advise(cards: Iterable[ModelCard], needs: Needs, *, count: int = SHOWN) -> Advice:
    """The `count` best of `cards` for `needs`, each with its reasons, and every other with the one that excludes it."""
    picks, excluded = [], []
    for card in cards:
        reason = next((f"{rule.name}: {why}" for rule in RULES if (why := rule.why(card, needs))), "")
        if reason:
            excluded.append((card.id, reason))
        else:
            picks.append(_pick(card, needs))
    picks.sort(key=lambda pick: pick.card.released, reverse=True)  # of equals the newest first
    picks.sort(key=lambda pick: -pick.score)
    best = tuple(picks[:count])
    if best:
        behind = f"{best[-1].score:.1f} points reach the list"
        excluded += [(p.card.id, f"order: {p.score:.1f} points, {behind}") for p in picks[count:]]
    measured = " ".join(pick.card.id for pick in best[:3])
    command = f"embassay compare {measured} --judged judged/" if best else ""
    return Advice(best, tuple(excluded), FINE_TUNING.get(needs.domain, FINE_TUNING[""]), command)


def _pick(card: ModelCard, needs: Needs) -> Pick:
    published, how = evidence(card)
    score = published + sum(p.points(card, needs) for p in PREFERENCES)
    speed = ""
    if card.open_weights and not needs.gpu and (ms := needs.machine.query_ms(card)) is not None:
        speed = f"about {max(ms, 0.1):.1f} ms a query {'here' if needs.machine.measured else 'on 2 cores'}"
    elif not card.open_weights and card.usd_per_million_tokens:
        speed = f"${card.usd_per_million_tokens:g} per million tokens ({card.price_date})"
    reasons = [how or "no retrieval scores were found", speed, *(p.why(card, needs) for p in PREFERENCES)]
    return Pick(card, score, tuple(filter(None, reasons)), tuple(forms(card, needs.machine)))


@lru_cache(maxsize=1)
def _reference() -> ModelCard:
    from embassay.catalog.catalog import shipped_for

    return shipped_for(REFERENCE).models[REFERENCE]


def evidence(card: ModelCard) -> tuple[float, str]:
    """(mean nDCG@10 x 100 over BEIR's 15 tasks, where it comes from); the words are empty where nothing is known.

    A model with some of the tasks stands as far from the reference's mean as it does from the reference on them.
    """
    if card.retrieval is not None:
        return card.retrieval, f"{card.retrieval:.1f} nDCG@10 on BEIR"
    reference = _reference()
    common = [task for task in RETRIEVAL_TASKS if task in card.scores and task in reference.scores]
    if len(common) < FEWEST_TASKS or reference.retrieval is None:
        return UNSCORED, ""
    gap = sum(card.scores[task] - reference.scores[task] for task in common) / len(common)
    return (
        reference.retrieval + gap,
        f"about {reference.retrieval + gap:.1f} nDCG@10 on BEIR, from {len(common)} of its tasks",
    )


def _on_engine(card: ModelCard) -> bool:
    """The engine builds these; JinaBERT and others only share the name."""
    return card.open_weights and card.architecture in ENGINE_ARCHITECTURES and not card.trust_remote_code


def _how(card: ModelCard) -> str:
    if not card.open_weights:
        return f"hosted by {card.provider}"
    if _on_engine(card):
        return "runs on the local engine"
    return "runs from its ONNX file" if card.onnx else "needs embassay[torch]"


def _own_domain(card: ModelCard, needs: Needs) -> bool:
    return bool(needs.domain) and needs.domain in (card.domain, *card.also_domains)


def _foreign_domain(card: ModelCard, needs: Needs) -> bool:
    return card.domain not in ("", "general", needs.domain) and needs.domain not in card.also_domains
