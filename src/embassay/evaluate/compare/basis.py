"""Which queries a verdict rests on, and what it is therefore worth.

What people asked and judged outweighs what was made of the documents: where a set has both, the queries of people
decide as soon as there are enough of them for a verdict, and the others are shown beside them. Where there are too few,
all decide together, and the verdict is one on made-up queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embassay.evaluate.compare.bias import FAIR, Bias, bias_of
from embassay.evaluate.compare.verdict import MIN_QUERIES
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.origins import NOT_SAID, Origin, listed, origin_of, source_of, sources_of


@dataclass(frozen=True, slots=True)
class Basis:
    """The queries that decide."""

    origin: Origin
    """Who asked them; ``made-up`` as soon as one of them was made of the documents."""
    queries: Sequence[str]
    """Their ids."""
    sources: Mapping[str, int]
    """How they came about, to how many of them did."""
    left_out: Mapping[str, int]
    """The same of the queries that were asked as well and do not decide."""

    @property
    def is_made_up(self) -> bool:
        """Whether the verdict is one on made-up queries."""
        return self.origin == "made-up"

    @property
    def words_bias(self) -> Bias:
        """Least and most by which the queries favour a search by words (`bias_of`)."""
        return bias_of(self.sources) if self.is_made_up else FAIR

    @property
    def words(self) -> str:
        """``200 made-up queries (120 heading, 80 link)``, ``48 queries of people (48 label)``, ``300 queries``."""
        kinds = {"made-up": "made-up queries", "people": "queries of people", NOT_SAID: "queries"}
        from_where = listed(self.sources)
        return f"{len(self.queries):,} {kinds[self.origin]}" + (f" ({from_where})" if from_where else "")

    def to_dict(self) -> dict[str, object]:
        """The basis as the JSON output has it."""
        return {
            "origin": self.origin,
            "queries": len(self.queries),
            "sources": dict(self.sources),
            "left_out": dict(self.left_out),
            "words_bias": list(self.words_bias),
        }


def basis_of(judged: JudgedSet) -> Basis:
    """The queries of `judged` that decide."""
    origins = {query: origin_of(source_of(judged, query)) for query in judged.queries}
    real = [query for query, origin in origins.items() if origin != "made-up"]
    decide = real if len(real) >= MIN_QUERIES or len(real) == len(origins) else list(origins)
    among = {origins[query] for query in decide}
    origin: Origin = "made-up" if "made-up" in among else "not said" if "not said" in among else "people"
    chosen = set(decide)
    rest = [query for query in origins if query not in chosen]
    return Basis(origin, decide, sources_of(judged, decide), sources_of(judged, rest))
