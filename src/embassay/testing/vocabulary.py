"""What every store finds by words, and which words it says that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.stores.values import WeightedTexts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.stores.base import Snapshot, Store
    from embassay.types import Chunk


def check_vocabulary(ours: Snapshot, exact: Snapshot) -> None:
    """Both list the same terms, each with the number of rows that have it, and a term that is listed finds these."""
    terms = dict(exact.vocabulary())
    assert dict(ours.vocabulary()) == terms
    for term in sorted(terms)[:: max(1, len(terms) // 20)]:
        found = ours.lexical(WeightedTexts({term: 1.0}, cut=False), 10_000)
        assert len(found) == terms[term], f"{terms[term]} rows have the term {term!r}, and {len(found)} are found"


def check_words(store: Store, chunks: Sequence[Chunk]) -> None:
    """Rare words decide, scores go down, and as many rows are found as were asked for."""
    with store.snapshot() as version:
        for i in (0, 7, len(chunks) - 1):
            best = version.lexical(f"which one is unique{i}?", 5)
            assert version.fetch([best[0].ref])[0].key == chunks[i].key, "a rare word decides"
        scores = [s.score for s in version.lexical("vector search cache", 50)]
        assert scores == sorted(scores, reverse=True) and all(score > 0 for score in scores)
        assert len(version.lexical("key", 7)) == 7
