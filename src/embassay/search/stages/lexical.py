"""``lexical(100)``: the chunks that share the rarest words with the query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay.search.arguments import argument
from embassay.search.base import Arm, Candidates
from embassay.stores.values import WeightedTexts

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from embassay.search.context import Context
    from embassay.types import Vectors


@dataclass(frozen=True)
class Lexical(Arm):
    """Finds names, codes and rare words: by BM25 over words and their stems. It needs no model."""

    title: float = argument(1.0, least=0, most=100)
    """How often a word counts that stands in the title of a chunk's document, or in a heading above it; 0: what is said
    there alone is not found."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The `depth` best chunks that share a word with the query. Raises StoreError."""
        return Candidates(ranking=context.snapshot.lexical(self._words(context), self.depth, context.where))

    def score(self, context: Context, refs: Sequence[Hashable]) -> Vectors:
        """The BM25 scores of `refs`; 0 for one that shares no word with the query. Raises StoreError."""
        return context.snapshot.lexical_scores(self._words(context), refs)

    def _words(self, context: Context) -> str | WeightedTexts:
        """What is looked for, with the weight of titles where that is not 1."""
        words = context.words
        if self.title == 1:
            return words
        return replace(WeightedTexts({words: 1.0}) if isinstance(words, str) else words, title=self.title)


STAGE = Lexical
