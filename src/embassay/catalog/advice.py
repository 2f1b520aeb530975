"""Which models to try first: those that no rule leaves out, ordered by published evidence and a few preferences.

`PREFERENCES` weighs models against each other, and `FINE_TUNING` says when to train one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embassay.catalog.card import MULTILINGUAL, ModelCard
from embassay.catalog.evidence import Standing, Standings
from embassay.catalog.hosts import hosted_copies, settings_of
from embassay.catalog.machine import Form, flops_per_token, forms
from embassay.catalog.rules import Limit, Needs, Rerank, excluded, limits, made_for_domain
from embassay.catalog.runnable import how_it_runs, on_engine
from embassay.catalog.sizing import Sizing, size_index
from embassay.remedy import Command

BASE_FLOPS = 2e7
"""Floating-point operations a token of all-MiniLM-L6-v2: sizes are weighed in powers of ten above it."""
SHOWN = 5
MEASURED = 3
"""Picks that are to be compared on the user's own documents."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What speaks for or against a model beside its scores, in points of nDCG@10 x 100."""

    name: str
    points: Callable[[ModelCard, Needs], float]
    why: Callable[[ModelCard, Needs], str]


SIZE_POINTS: dict[Rerank, float] = {"none": 1.0, "cross-encoder": 6.0, "llm": 8.0}
"""For each power of ten in size: a stage behind orders the candidates anew, so that finding them cheaply counts."""


def _size(card: ModelCard) -> float:
    flops = flops_per_token(card)
    return max(0.0, math.log10(flops / BASE_FLOPS)) if flops else 1.5


def _made_for(card: ModelCard, needs: Needs) -> str:
    """The domain or the language that was asked for and that the model was made for above all; a multilingual one was
    made for none of its languages, and English is what most are made for."""
    if needs.domain and card.domain == needs.domain:
        return needs.domain
    own = [language for language in needs.languages if language not in ("en", MULTILINGUAL)]
    return ", ".join(own) if own and all(language in card.languages for language in own) else ""


PREFERENCES = (
    Preference(
        "size",
        lambda c, n: -SIZE_POINTS[n.rerank] * _size(c),
        lambda c, n: f"small and fast, as the {n.rerank} stage orders what it finds" if n.rerank != "none" and _size(c) < 0.7 else "",
    ),
    Preference("made for it", lambda c, n: 5.0 if _made_for(c, n) else 0.0, lambda c, n: f"made for {made}" if (made := _made_for(c, n)) else ""),
    Preference("terms", lambda c, n: 0.0, lambda c, n: c.restriction if c.open_weights else ""),
    Preference("no extra", lambda c, n: 1.0 if on_engine(c) else 0.0, lambda c, n: how_it_runs(c)),
)  # fmt: skip


FINE_TUNING = {
    "": "Fine-tuning is worth it once a compare on your own judged set shows that no model finds what your users mean.",
    "code": "Code: fine-tune when queries are in your own jargon; identifiers are better found by words (hybrid).",
    "legal": "Legal text: fine-tuning is worth it from about 1,000 pairs of query and passage; general models miss terms of art.",
    "medical": "Medical text: fine-tuning is worth it from about 1,000 pairs; the biomedical models listed are not trained for retrieval.",
    "biomedical": "Biomedical text: fine-tuning is worth it from about 1,000 pairs; the models listed are not trained for retrieval.",
    "scientific": "Scientific text: general models do well on SciFact and SciDocs; fine-tune only if your own judged set says otherwise.",
    "long": "Long documents: fine-tuning changes little; whether sections or whole documents are embedded changes more.",
    "finance": "Finance: try a hosted finance model first; fine-tuning pays when filings of your own format are searched.",
}  # fmt: skip
"""By domain: when training a model is worth its trouble. Thin judgements of ours, to be checked by a comparison."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A model that meets the constraints."""

    card: ModelCard
    """As it would be run: a hosted copy of open weights has the price and the provider of its company."""
    standing: Standing | None
    """By published scores; None for one whose scores compare with no others."""
    score: float
    """Points by which picks are ordered: those of its standing, and what preferences add."""
    why: tuple[str, ...]
    forms: tuple[Form, ...]
    """The ways to store its vectors."""
    sizing: Sizing | None = None
    """What its index takes, where a load was asked for."""

    def to_dict(self) -> dict[str, object]:
        """The pick as the JSON output has it."""
        full = next((f.bytes_per_million for f in self.forms), None)
        return {
            "id": self.card.id,
            "provider": self.card.provider,
            "why": list(self.why),
            "points": None if self.standing is None else round(self.score, 2),
            "scores_asked_for": bool(self.standing and self.standing.asked),
            "scores": [score.to_dict() for score in self.standing.scores] if self.standing else [],
            "storage_bytes_per_million": full,
            "usd_per_million_tokens": 0.0 if self.card.open_weights else self.card.usd_per_million_tokens,
            "price_date": self.card.price_date,
            "price_source": self.card.price_source,
            "settings": settings_of(self.card),
            "forms": [f.to_dict() for f in self.forms],
            "sizing": self.sizing.to_dict() if self.sizing else None,
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """The models to try first, and why the others were left out."""

    recommended: tuple[Pick, ...]
    specialists: tuple[Pick, ...]
    """Made for what was asked for, by what their makers say: no score of theirs compares with those of the others."""
    excluded: tuple[tuple[str, str], ...]
    """(id of a model, why it was left out)"""
    limits: tuple[Limit, ...]
    """All that was asked of every model, those limits too that nobody set."""
    fine_tuning: str
    next: str
    """The command that measures the first picks on the user's own documents."""

    def to_dict(self) -> dict[str, object]:
        """The advice as the JSON output has it."""
        return {
            "recommended": [pick.to_dict() for pick in self.recommended],
            "specialists": [pick.to_dict() for pick in self.specialists],
            "excluded": [{"id": name, "why": why} for name, why in self.excluded],
            "limits": [limit.to_dict() for limit in self.limits],
            "fine_tuning": self.fine_tuning,
            "next": self.next,
        }


def advise(cards: Iterable[ModelCard], needs: Needs, *, count: int = SHOWN) -> Advice:
    """Choose the `count` best of `cards` for `needs`, each with its reasons; every other comes with why it was left out.

    Models with scores of what was asked for come before those that only general English scores place.
    """
    cards = list(cards)
    evidence = Standings(cards, needs.domain, needs.languages)
    picks, specialists, left_out = [], [], []
    for card in cards:
        way, reason = _way(card, needs)
        standing = evidence.standing(card)
        if reason:
            left_out.append((card.id, reason))
        elif standing is None and not made_for_domain(card, needs):
            left_out.append((card.id, "evidence: too few published retrieval scores to place it"))
        elif made_for_domain(card, needs) and not (standing and standing.asked):
            specialists.append(_pick(way, None, needs))
        else:
            picks.append(_pick(way, standing, needs))
    picks.sort(key=lambda pick: (pick.card.released, pick.card.id), reverse=True)  # of equals the newest first
    picks.sort(key=lambda pick: (not (pick.standing and pick.standing.asked), -pick.score))
    specialists.sort(key=lambda pick: (pick.card.released, pick.card.id), reverse=True)
    best = tuple(picks[:count])
    left_out += [(pick.card.id, _behind(pick, best[-1])) for pick in picks[count:]]
    measured = Command("compare", tuple(pick.card.id for pick in best[:MEASURED]), (("judged", "judged/"),))
    return Advice(
        best,
        tuple(specialists),
        tuple(left_out),
        tuple(limits(needs)),
        FINE_TUNING.get(needs.domain, FINE_TUNING[""]),
        measured.in_shell() if best else "",
    )


def _way(card: ModelCard, needs: Needs) -> tuple[ModelCard, str]:
    """(the model as it would be run, why it is left out): by oneself or its makers, or else by the cheapest company."""
    reason = excluded(card, needs)
    for copy in hosted_copies(card) if reason else ():
        if not excluded(copy, needs):
            return copy, ""
    return card, reason


def _behind(pick: Pick, last: Pick) -> str:
    if last.standing and last.standing.asked and not (pick.standing and pick.standing.asked):
        return "order: no comparable score for what was asked for, behind those that have one"
    return f"order: {pick.score:.1f} points, {last.score:.1f} points reach the list"


def _pick(card: ModelCard, standing: Standing | None, needs: Needs) -> Pick:
    score = (standing.points if standing else 0.0) + sum(p.points(card, needs) for p in PREFERENCES)
    reasons = [
        _evidence(card, standing, needs),
        _speed(card, needs),
        *(p.why(card, needs) for p in PREFERENCES),
        _hosts(card, needs),
    ]
    sizing = size_index(card, needs.load, needs.machine, gpu=needs.gpu) if needs.load else None
    return Pick(card, standing, score, tuple(filter(None, reasons)), tuple(forms(card, needs.machine)), sizing)


def _evidence(card: ModelCard, standing: Standing | None, needs: Needs) -> str:
    if standing is None:
        return card.made_for_claim or "no comparable score was found"
    if standing.asked:
        return standing.words()
    asked = " and ".join(filter(None, [needs.domain, ", ".join(needs.languages)]))
    return f"no comparable score for {asked} was found; in general English {standing.words()}"


def _speed(card: ModelCard, needs: Needs) -> str:
    if card.open_weights and not needs.gpu and (ms := needs.machine.query_ms(card)) is not None:
        return f"about {max(ms, 0.1):.1f} ms a query {'here' if needs.machine.measured else 'on 2 cores'}"
    if not card.open_weights and card.usd_per_million_tokens:
        return f"${card.usd_per_million_tokens:g} per million tokens ({card.price_date})"
    return ""


def _hosts(card: ModelCard, needs: Needs) -> str:
    """How a hosted copy is reached, or which company would run open weights for the least."""
    if setting := settings_of(card):
        return f"as {setting['model_id']} at {setting['base_url']}"
    copies = hosted_copies(card) if needs.api and not needs.privacy else []
    return f"also hosted by {copies[0].provider} for ${copies[0].usd_per_million_tokens:g}" if copies else ""
