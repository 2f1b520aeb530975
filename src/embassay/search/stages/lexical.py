"""``lexical(100)``: the chunks that share the rarest words with the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.search.base import Arm, Candidates

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from embassay.search.context import Context
    from embassay.types import Vectors


@dataclass(frozen=True)
class Lexical(Arm):
    """Finds names, codes and rare words: by BM25 over words and their stems. It needs no model."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The `depth` best chunks that share a word with the query. Raises StoreError."""
        return Candidates(ranking=context.snapshot.lexical(context.words, self.depth, context.where))

    def score(self, context: Context, refs: Sequence[Hashable]) -> Vectors:
        """The BM25 scores of `refs`; 0 for one that shares no word with the query. Raises StoreError."""
        return context.snapshot.lexical_scores(context.words, refs)


STAGE = Lexical
