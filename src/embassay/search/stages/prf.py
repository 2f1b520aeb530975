"""``prf(10)``: pseudo-relevance feedback. The first hits are taken for right, and the arms are asked again like them.

Arms of words look for the words of the query and for those that stand out in these hits (RM3: Abdul-Jaleel et al.,
TREC 2004); arms of vectors compare with the vector of the query, moved towards the mean of theirs (Rocchio, 1971).

The change of nDCG@10 over the default search (`python -m benchmarks.stages`), by settings:

                             SciFact test   SciFact train   XQuAD en   XQuAD de   httpx    FastAPI
    prf(5, weight=0.5)                                      -0.026     -0.075     +0.021   +0.049
    prf(10, weight=0.75)     -0.021         -0.013          -0.003     -0.014      0.000   +0.035
    prf(5, weight=1)         -0.001          0.000           0.000     -0.001     -0.019

The last two are 40 questions of users each. Where one passage answers and its neighbours are about the same, feedback
finds the neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.search.again import ask_again, foremost, mean_vector, with_texts
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.search.context import Sought
from embassay.words.analyser import analyser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.search.context import Context
    from embassay.stores.values import Scored, WeightedTexts
    from embassay.types import Vectors

LEAST_LETTERS = 2
"""A word of fewer says nothing, in a script with spaces."""


@dataclass(frozen=True)
class Prf(Inner):
    """Stands before the stage that joins the arms. The hits that all arms together rank foremost are the feedback."""

    asks: ClassVar[bool] = True

    hits: int = argument(10, least=1, most=100)
    """Hits that are taken for right."""
    terms: int = argument(10, least=0, most=100)
    """Words that are added to those of the query; 0: none, and arms of words are asked as before."""
    weight: float = argument(0.75, least=0.01, most=1)
    """Of the words of the query; those that are added share the rest."""
    beta: float = argument(0.3, least=0, most=10)
    """How much the mean vector of the hits counts beside that of the query, which counts 1."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """What the arms find with feedback; what they found before where that was nothing. Raises StoreError."""
        feedback = foremost(candidates.found, self.hits)
        if not feedback:
            return candidates
        dense = any(one.arm.dense and not one.arm.elsewhere for one in candidates.found.values())
        words = any(not one.arm.dense for one in candidates.found.values())
        with context.asking(candidates.asked):
            asked = Sought(
                self._words(context, feedback) if words else context.words,
                self._vector(context, feedback) if dense else None,
            )
        return ask_again(context, candidates, asked)

    def _words(self, context: Context, feedback: Sequence[Scored]) -> WeightedTexts | str:
        """The words that are looked for, with the words of the feedback that occur most in it, by its shares."""
        cut = analyser(context.language)
        query = context.words
        own = with_texts(query, {}).weights
        chunks = context.chunks([one.ref for one in feedback])
        shares: defaultdict[tuple[str, ...], float] = defaultdict(float)
        written: dict[tuple[str, ...], str] = {}
        for one in feedback:
            text = chunks[one.ref].indexed
            found = [(word.terms, text[word.start : word.end]) for word in cut.words(text) if word.terms]
            for terms, word in found:
                shares[terms] += one.score / len(found)
                written.setdefault(terms, word)
        ordered = sorted(shares.items(), key=lambda item: -item[1])
        best = [(terms, share) for terms, share in ordered if len(written[terms]) >= LEAST_LETTERS]
        total = sum(share for _, share in best[: self.terms])
        if not total or self.weight == 1:
            return query
        asked_for = sum(weight * len(cut.query(text)) for text, weight in own.items())
        scale = asked_for * (1 - self.weight) / self.weight / total
        return with_texts(query, {written[terms]: share * scale for terms, share in best[: self.terms]})

    def _vector(self, context: Context, feedback: Sequence[Scored]) -> Vectors:
        """The vector of the query, moved, and as long as before."""
        stored = context.vectors([one.ref for one in feedback])
        return mean_vector(context.vector, [*stored.values()], self.beta) if self.beta else context.vector


STAGE = Prf
