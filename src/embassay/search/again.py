"""Asks the arms of a search again, for something else than the query says: how every stage that expands it ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.search.base import Candidates, Found
from embassay.search.context import Sought
from embassay.stores.values import Scored, WeightedTexts

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.types import Vectors

STANDARD_RANK = 60
"""Added to each rank before lists are joined by ranks (Cormack, Clarke and Buettcher, SIGIR 2009)."""


def ask_again(context: Context, candidates: Candidates, asked: Sought) -> Candidates:
    """What the arms find that found something before, each as deep as before, for what is `asked` now.

    The mean of the scores of several phrasings is the score of their mean vector, and BM25 of their terms with mean
    weights; so one run of each arm is enough for any number of them. Raises what arms raise.
    """
    found: dict[str, Found] = {}
    with context.asking(asked):
        for label, one in candidates.found.items():
            if one.arm.elsewhere:  # what is asked is a vector of the space that is searched
                found[label] = one
                continue
            made = one.arm.run(context, Candidates())
            found[label] = Found(one.arm, made.ranking, one.bounded)
    ranking = next(iter(found.values())).scored if len(found) == 1 else ()
    return replace(candidates, found=found, ranking=ranking, asked=asked)


def ask_for_more(
    context: Context,
    candidates: Candidates,
    texts: Mapping[str, float],
    made: Callable[[], Sequence[Vectors]],
    weight: float,
) -> Candidates:
    """What the arms find for what they were asked, and for `texts` with their weights beside it.

    `made` gives the vectors that count `weight` in all beside the one that was compared until now; it is not called
    where no arm compares vectors. Raises what it and the arms raise.
    """
    dense = any(one.arm.dense and not one.arm.elsewhere for one in candidates.found.values())
    with context.asking(candidates.asked):
        words = with_texts(context.words, texts) if texts else context.words
        vector = mean_vector(context.vector, made(), weight) if dense else None
    return ask_again(context, candidates, Sought(words, vector))


def with_texts(words: str | WeightedTexts, others: Mapping[str, float]) -> WeightedTexts:
    """The words that are looked for already, and `others` with their weights."""
    own = {words: 1.0} if isinstance(words, str) else dict(words.weights)
    return WeightedTexts(own | {text: own.get(text, 0.0) + weight for text, weight in others.items() if weight > 0})


def mean_vector(vector: Vectors, others: Sequence[Vectors], weight: float) -> Vectors:
    """The mean of `vector` and the others, which count `weight` in all, each at length 1; as long as `vector` is."""
    import numpy as np

    length = float(np.linalg.norm(vector))
    each = [other / max(float(np.linalg.norm(other)), 1e-12) for other in others]
    if not each or length == 0:
        return vector
    moved = vector / length + weight * np.mean(each, axis=0)
    made: Vectors = (moved * (length / max(float(np.linalg.norm(moved)), 1e-12))).astype(np.float32)
    return made


def foremost(found: Mapping[str, Found], most: int) -> list[Scored]:
    """The `most` candidates that stand foremost in the lists of all arms together, each with a share of 1.

    They are joined by reciprocal ranks: the scores of arms have different scales.
    """
    shares: dict[Hashable, float] = {}
    for one in found.values():
        for place, candidate in enumerate(one.scored, 1):
            shares[candidate.ref] = shares.get(candidate.ref, 0.0) + 1 / (STANDARD_RANK + place)
    best: Sequence[tuple[Hashable, float]] = sorted(shares.items(), key=lambda item: -item[1])[:most]
    total = sum(share for _, share in best)
    return [Scored(ref, share / total) for ref, share in best]
