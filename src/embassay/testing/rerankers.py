"""The conformance suite of a reranker: what every one of them has to keep."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.reranking.base import Reranked, Reranker

QUERY = "how do I rotate a key"
TEXTS = (
    "Keys are rotated once a year.",
    "how do I rotate a key",
    "Schlüssel drehen",
    "鍵を交換する",
    "a",
    "the same text",
    "the same text",
)
LONG = "word " * 40_000
NEAR = 1e-2
"""Scores of one text may differ by so much, as a share of all scores' spread: batches are padded, and numbers short."""


def check_reranker(reranker: Reranker) -> None:
    """Raises AssertionError for the first promise that is broken."""
    made = reranker.score(QUERY, TEXTS)
    _check_shape(reranker, made, len(TEXTS))
    _check_order(reranker, made)
    _check_odd_texts(reranker)
    with ThreadPoolExecutor(2) as threads:
        for other in threads.map(lambda _: reranker.score(QUERY, TEXTS), range(2)):
            assert _alike(other, made), "two threads have other scores"
    assert reranker.identity == reranker.identity, "what decides the scores changed between calls"
    reranker.close()
    assert _alike(reranker.score(QUERY, TEXTS), made), "after close the scores are others"


def _check_shape(reranker: Reranker, made: Reranked, count: int) -> None:
    import numpy as np

    assert made.scores.shape == (count,), f"shape {made.scores.shape} for {count} texts"
    assert made.scores.dtype == np.float32, f"dtype {made.scores.dtype}"
    assert np.isfinite(made.scores).all(), "NaN or infinity"
    assert made.tokens.shape == made.truncated.shape == (count,), "not one count and one flag a text"
    assert made.truncated.dtype == np.bool_, f"flags of dtype {made.truncated.dtype}"
    assert (made.tokens >= 0).all(), "fewer than no tokens"
    assert made.model == reranker.name, f"made by {made.model!r}, which calls itself {reranker.name!r}"
    assert sorted(made.order) == list(range(count)), "the order has lost a text"
    assert all(0 <= at < count for at in made.refused), "a refused text that was not given"


def _check_order(reranker: Reranker, made: Reranked) -> None:
    import numpy as np

    if reranker.listwise:
        return
    spread = _spread(made)
    assert abs(made.scores[5] - made.scores[6]) <= NEAR * spread, "one text has two scores"
    backwards = reranker.score(QUERY, TEXTS[::-1])
    assert np.abs(backwards.scores[::-1] - made.scores).max() <= NEAR * spread, "the order of the texts changes scores"
    for at, text in enumerate(TEXTS[:3]):
        alone = float(reranker.score(QUERY, [text]).scores[0])
        assert abs(alone - made.scores[at]) <= NEAR * spread, f"text {at} alone has another score"


def _check_odd_texts(reranker: Reranker) -> None:
    _check_shape(reranker, reranker.score(QUERY, []), 0)
    made = reranker.score(QUERY, ["", TEXTS[1], " \n\t", "lone \ud800 surrogate", "nul \0 byte"])
    _check_shape(reranker, made, 5)
    _check_shape(reranker, reranker.score(QUERY, [""]), 1)
    long = reranker.score(QUERY, [LONG, TEXTS[1]])
    _check_shape(reranker, long, 2)
    assert not long.truncated[1], "a short text counts as cut"
    _check_shape(reranker, reranker.score("word " * 5_000, [TEXTS[1]]), 1)


def _spread(made: Reranked) -> float:
    return max(float(made.scores.max() - made.scores.min()), 1e-3)


def _alike(other: Reranked, made: Reranked) -> bool:
    import numpy as np

    return bool(np.abs(other.scores - made.scores).max() <= NEAR * _spread(made))
