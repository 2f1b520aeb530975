"""A reranker that is given a time: what is not scored in it is remembered for whoever asks next."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay.reranking.base import Reranked
from embassay.reranking.wrap.wrapper import RerankWrapper
from embassay.timed import Timed
from embassay.types import NO_USAGE, Usage

if TYPE_CHECKING:
    from embassay.reranking.base import Reranker

KEPT = 8192
"""Scores that are remembered."""


@dataclass(frozen=True, slots=True)
class InTime:
    """The scores that could be had of texts of one query."""

    scores: Mapping[int, float]
    """Position of a text to its score."""
    usage: Usage = NO_USAGE
    truncated: int = 0
    """Texts that were cut."""
    refused: Mapping[int, str] = field(default_factory=dict)
    failure: Exception | None = None
    """Why there are no more, where something was raised."""


class TimedReranker(RerankWrapper):
    """A reranker that can be asked within a time. Threads may share it."""

    def __init__(self, inner: Reranker) -> None:
        super().__init__(inner)
        self._scores = _Scores(inner)

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        """All scores, whatever they take."""
        return self.inner.score(query, texts)

    def within(self, query: str, texts: Sequence[str], budget_ms: float) -> InTime:
        """As many scores as can be had within `budget_ms`, the first texts first; without a budget all of them.

        Raises what the reranker raises where there is no budget; with one that is in the result.
        """
        if not budget_ms:
            made = self.inner.score(query, texts)
            scores = {at: float(score) for at, score in enumerate(made.scores) if at not in made.refused}
            return InTime(scores, made.usage, int(made.truncated.sum()), made.refused)
        keys = self._keys(query, texts)
        asked = {key: (query, text) for key, text in zip(keys, texts, strict=True)}
        found, failure = self._scores.within(asked, budget_ms)
        known = {at: found[key] for at, key in enumerate(keys) if key in found}
        scores = {at: one.score for at, one in known.items()}
        return InTime(scores, self._scores.spent(), sum(one.truncated for one in known.values()), failure=failure)

    def settle(self) -> None:
        """Give what is under way a moment to arrive."""
        self._scores.close()

    def _keys(self, query: str, texts: Sequence[str]) -> list[str]:
        """A name for each text of the query, and of its list where scores depend on that."""
        base = blake2b("\0".join([query, *(texts if self.listwise else ())]).encode("utf-8", "surrogatepass"))
        return [f"{base.hexdigest()}{text}" for text in texts]


@dataclass(frozen=True, slots=True)
class _Score:
    score: float
    truncated: bool


class _Scores(Timed[tuple[str, str], _Score]):
    """Scores of pairs of query and text; all pairs of one call have the same query."""

    def __init__(self, inner: Reranker) -> None:
        super().__init__(KEPT)
        self._inner = inner
        self._spending = threading.Lock()
        self._usage = NO_USAGE
        """Of what was made and not told yet."""

    @property
    def remote(self) -> bool:
        """Whether all texts go into one call: each is a round trip, or they are ranked as one list."""
        return self._inner.remote or self._inner.listwise

    def spent(self) -> Usage:
        """What was spent since this was asked last."""
        with self._spending:
            usage, self._usage = self._usage, NO_USAGE
        return usage

    def make(self, items: Sequence[tuple[str, str]]) -> Iterator[_Score | None]:
        """The scores of texts of one query. Raises what the reranker raises."""
        made = self._inner.score(items[0][0], [text for _, text in items])
        with self._spending:
            self._usage += made.usage
        for at, score in enumerate(made.scores):
            yield None if at in made.refused else _Score(float(score), bool(made.truncated[at]))

    def size(self, made: _Score) -> int:  # noqa: ARG002 - they are all alike
        """Scores are counted."""
        return 1
