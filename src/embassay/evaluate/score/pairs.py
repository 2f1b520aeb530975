"""How well a model's similarity of two sentences agrees with what people say of them.

The similarity is the cosine, or the dot product where the model's space is compared by it. The measure is the rank
correlation of similarity and human score, as benchmarks of semantic textual similarity report it
(Reimers, Beyer and Gurevych, COLING 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.evaluate.data.pairs import SentencePairs
from embassay.evaluate.score.embedding import embed_all

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedders.base import Embedder

    Column = npt.NDArray[np.float64]

RESAMPLES = 1_000
"""Draws of the bootstrap from which the interval is read."""


@dataclass(frozen=True, slots=True)
class PairScores:
    """The correlation of similarity and human score."""

    spearman: float
    pearson: float
    spearman_interval: tuple[float, float]
    """The 95 % interval, by bootstrap over pairs."""
    pairs: int

    def to_dict(self) -> dict[str, object]:
        """The scores as the JSON output has them."""
        return asdict(self) | {"spearman_interval": list(self.spearman_interval)}


def score_pairs(
    embedder: Embedder, pairs: SentencePairs, advance: Callable[[int], None] = lambda _: None
) -> PairScores:
    """Score a model on sentence pairs; both sentences are embedded as queries, because neither is a document.

    `advance` is told how many texts have been embedded since it was last called. Raises ModelError, ProviderError.
    """
    from scipy.stats import pearsonr, rankdata

    a = embed_all(embedder, pairs.first, "query", advance)[0]
    b = embed_all(embedder, pairs.second, "query", advance)[0]
    similarity, human = np.einsum("ij,ij->i", a, b).astype(np.float64), np.asarray(pairs.scores, np.float64)
    drawn = np.random.default_rng(0).integers(0, len(human), (RESAMPLES, len(human)))
    resampled = [_correlation(rankdata(similarity[at]), rankdata(human[at])) for at in drawn]
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    return PairScores(
        _correlation(rankdata(similarity), rankdata(human)),
        float(pearsonr(similarity, human).statistic) if similarity.std() else 0.0,
        (float(low), float(high)),
        len(human),
    )


def _correlation(a: Column, b: Column) -> float:
    """Pearson's correlation; 0 where one of the columns is constant."""
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0
