"""Where two existing sets answer alike: what can be said of saved queries that nobody has judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.compare.systems import SHOWN, Outcome
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.places import Place, covering

LISTED = 10
"""Queries listed, at most."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A query to which two sets give different hits."""

    text: str
    overlap: float
    hits_a: Sequence[str]
    hits_b: Sequence[str]

    @property
    def only_a(self) -> list[str]:
        """Hits of A that B has not."""
        return [hit for hit in self.hits_a if not _found(hit, self.hits_b)]

    @property
    def only_b(self) -> list[str]:
        """Hits of B that A has not."""
        return [hit for hit in self.hits_b if not _found(hit, self.hits_a)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two sets over the same queries. Without judgments nobody can say which one is better."""

    a: str
    b: str
    outcomes: tuple[Outcome, Outcome]
    queries: int
    overlap: float
    """Mean share of the first ten hits that both have, by place in the file."""
    same_first: float
    """Share of queries whose first hit is the same place."""
    differing: Sequence[Differing]
    """Those that differ most, first."""

    def to_dict(self) -> dict[str, object]:
        """The agreement as the JSON output has it, in the form of a comparison that is undecided."""
        rows = [
            {
                "name": name,
                "space": outcome.space,
                "space_digest": outcome.space_digest,
                "pipeline": str(outcome.pipeline),
                "metrics": {},
                "latency_ms": dict(outcome.costs.latency_ms),
                "bytes_per_million": outcome.costs.bytes_per_million,
                "usd_per_million_tokens": outcome.costs.usd_per_million_tokens,
                "error": "",
            }
            for name, outcome in zip((self.a, self.b), self.outcomes, strict=True)
        ]
        changed = [
            {"text": d.text, "overlap": d.overlap, "hits_a": list(d.hits_a), "hits_b": list(d.hits_b)}
            for d in self.differing
        ]
        return {
            "judged": None, "queries": self.queries, "candidates": rows, "pairs": [], "verdict": "undecided",
            "winner": None, "reason": "no query is judged",
            "agreement": {f"overlap@{SHOWN}": self.overlap, "same_first": self.same_first}, "changed": changed,
        }  # fmt: skip


def agree(
    queries: Sequence[str], a: SetSystem, b: SetSystem, *, advance: Callable[[int], None] = lambda _: None
) -> Agreement:
    """Ask both sets every query and see how far their hits agree.

    `advance` is told of each answered query. Raises EmbassayError.
    """
    asked = JudgedSet("", (), {str(at): query for at, query in enumerate(queries)}, {})
    outcomes = a.outcome(asked, SHOWN, advance), b.outcome(asked, SHOWN, advance)
    found = [
        Differing(
            text, _overlap(*lists), lists[0], lists[1]
        )
        for name, text in asked.queries.items()
        for lists in [tuple(list(outcome.run.rankings[name])[:SHOWN] for outcome in outcomes)]
    ]  # fmt: skip
    same = [_same(d.hits_a[0], d.hits_b[0]) for d in found if d.hits_a and d.hits_b]
    return Agreement(
        a.name,
        b.name,
        outcomes,
        len(found),
        sum(d.overlap for d in found) / max(1, len(found)),
        sum(same) / max(1, len(found)),
        sorted((d for d in found if d.overlap < 1), key=lambda d: d.overlap)[:LISTED],
    )


def _overlap(a: Sequence[str], b: Sequence[str]) -> float:
    """Share of the places of both lists that the other one has too; 1 for two empty lists."""
    shared = sum(_found(place, b) for place in a) + sum(_found(place, a) for place in b)
    return shared / (len(a) + len(b)) if a or b else 1.0


def _found(place: str, others: Sequence[str]) -> bool:
    return bool(covering(Place.parse(place), [Place.parse(other) for other in others]))


def _same(a: str, b: str) -> bool:
    return _found(a, [b])
