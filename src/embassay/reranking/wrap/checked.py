"""A reranker whose scores are held against the contract: a ranking that may be wrong is no ranking."""

from __future__ import annotations

from collections.abc import Sequence

from embassay.errors import BadReply
from embassay.reranking.base import Reranked
from embassay.reranking.wrap.wrapper import RerankWrapper


class Checked(RerankWrapper):
    """Hands out one finite score for each text, or none at all."""

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        """The scores of the reranker inside. Raises BadReply, which says what is amiss, and whatever it raises."""
        import numpy as np

        made = self.inner.score(query, texts)
        if made.scores.shape != (len(texts),):
            raise BadReply(f"{self.name}: it gave {len(made)} scores for {len(texts)} texts.")
        wrong = np.flatnonzero(~np.isfinite(made.scores))
        if len(wrong):
            raise BadReply(f"{self.name}: its score of text {wrong[0]} is {made.scores[wrong[0]]}, no finite number.")
        return made
