"""The contract of a reranker: a query and texts in, one score for each text out, greater is better.

A reranker is a module of `rerankers/` with a class ``Settings`` and ``open_reranker(settings) -> Reranker``, or, over
HTTP, ``open_api(settings) -> RerankApi``: see `http/api.py`. Opening is cheap: nothing is loaded or sent before the
first text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.types import NO_USAGE, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embassay.types import Counts, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """The scores of texts for one query, in the order of the texts, with what they took."""

    scores: Vectors
    """float32 (n,), all of them finite. They compare texts of one query; between models they say nothing."""
    tokens: NDArray[np.int64]
    """(n,): what the model read of each pair of query and text, as counted here; 0 where it read nothing."""
    truncated: NDArray[np.bool_]
    """(n,): whether the text was cut at the token limit, as far as that is known."""
    model: str
    usage: Usage = NO_USAGE
    """What the requests took; `cached` in it counts the scores that were there already."""
    cached: NDArray[np.bool_] | None = None
    """(n,): whether the score was found in the cache; None: none of them was."""
    refused: Mapping[int, str] = field(default_factory=dict)
    """Position to reason of texts that a provider would not score: they have the least score of all."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def order(self) -> list[int]:
        """Positions of the texts, the best one first; equal ones in their own order."""
        import numpy as np

        return [int(at) for at in np.argsort(-self.scores, kind="stable")]


class Reranker(ABC):
    """Scores texts for a query. Threads may share it."""

    remote = False
    """Whether texts leave this process."""
    listwise = False
    """Whether the score of a text depends on the other texts that are given with it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As `Reranked.model` says it: ``cohere/rerank-v3.5``, ``./reranker``."""

    @property
    def identity(self) -> str:
        """Whatever decides its scores, as one text, under which they are kept: weights, precision, limit, prompt."""
        return self.name

    @abstractmethod
    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        """Scores of `texts` for `query`, in their order; of no texts none.

        A text above the token limit is cut and flagged. Raises ModelError, ProviderError, ConfigError.
        """

    @property
    def tokens(self) -> Counts | None:
        """What counts the tokens of a text, and the limit of a query and a text together; None: nothing does."""
        return None

    @property
    def price(self) -> str:
        """What scores cost, in words: ``$2 per 1,000 searches``; empty on hardware of the user's own."""
        return ""

    def usd(self, query: int, texts: Sequence[int]) -> float | None:  # noqa: ARG002
        """About what it costs to score texts of so many tokens each, for a query of so many; None: not known."""
        return 0.0

    def check_ready(self) -> None:  # noqa: B027 - most need nothing
        """Raise what is known to be missing without loading or sending anything: KeyMissing, ConfigError."""

    def close(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back connections and files. The reranker may be used again, and reopens what it needs."""


def with_least(known: Mapping[int, float], count: int) -> Vectors:
    """Scores (count,) of texts of which some have none: those are given the least of the others, or 0."""
    import numpy as np

    scores = np.full(count, min(known.values(), default=0.0), np.float32)
    scores[list(known)] = list(known.values())
    return scores
