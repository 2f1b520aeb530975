"""Which models to try first: those that no rule leaves out, ordered by published evidence and a few preferences.

`PREFERENCES` weighs models against each other, and `FINE_TUNING` says when to train one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embassay.catalog.card import ModelCard
from embassay.catalog.evidence import evidence
from embassay.catalog.machine import Form, flops_per_token, forms
from embassay.catalog.rules import Needs, Rerank, excluded, made_for_domain
from embassay.catalog.runnable import how_it_runs, on_engine
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


PREFERENCES = (
    Preference(
        "size",
        lambda c, n: -SIZE_POINTS[n.rerank] * _size(c),
        lambda c, n: f"small and fast, as the {n.rerank} stage orders what it finds" if n.rerank != "none" and _size(c) < 0.7 else "",
    ),
    Preference("domain", lambda c, n: 5.0 if made_for_domain(c, n) else 0.0, lambda c, n: f"made for {n.domain}" if made_for_domain(c, n) else ""),
    Preference(
        "several languages", lambda c, n: 0.0,
        lambda c, n: "its published scores are English" if n.languages not in ((), ("en",)) else "",
    ),
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
    "finance": "Finance: try a hosted finance model first; fine-tuning pays when filings of your own format are searched.",
}  # fmt: skip
"""By domain: when training a model is worth its trouble. Thin judgements of ours, to be checked by a comparison."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A model that meets the constraints."""

    card: ModelCard
    score: float
    """Points by which picks are ordered: published nDCG@10 x 100, and what preferences add."""
    why: tuple[str, ...]
    forms: tuple[Form, ...]
    """The ways to store its vectors."""

    def to_dict(self) -> dict[str, object]:
        """The pick as the JSON output has it."""
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
    """The models to try first, and why the others were left out."""

    recommended: tuple[Pick, ...]
    excluded: tuple[tuple[str, str], ...]
    """(id of a model, why it was left out)"""
    fine_tuning: str
    next: str
    """The command that measures the first picks on the user's own documents."""

    def to_dict(self) -> dict[str, object]:
        """The advice as the JSON output has it."""
        return {
            "recommended": [pick.to_dict() for pick in self.recommended],
            "excluded": [{"id": name, "why": why} for name, why in self.excluded],
            "fine_tuning": self.fine_tuning,
            "next": self.next,
        }


def advise(cards: Iterable[ModelCard], needs: Needs, *, count: int = SHOWN) -> Advice:
    """Choose the `count` best of `cards` for `needs`, each with its reasons; every other comes with why it was left out."""
    picks, left_out = [], []
    for card in cards:
        if reason := excluded(card, needs):
            left_out.append((card.id, reason))
        else:
            picks.append(_pick(card, needs))
    picks.sort(key=lambda pick: pick.card.released, reverse=True)  # of equals the newest first
    picks.sort(key=lambda pick: -pick.score)
    best = tuple(picks[:count])
    if best:
        behind = f"{best[-1].score:.1f} points reach the list"
        left_out += [(p.card.id, f"order: {p.score:.1f} points, {behind}") for p in picks[count:]]
    measured = Command("compare", tuple(pick.card.id for pick in best[:MEASURED]), (("judged", "judged/"),))
    command = measured.in_shell() if best else ""
    return Advice(best, tuple(left_out), FINE_TUNING.get(needs.domain, FINE_TUNING[""]), command)


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
