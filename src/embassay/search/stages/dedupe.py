"""``dedupe(0.97)``: one hit of several that say the same; the others come out behind it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import UsageError
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.search.documents import folded
from embassay.text import did_you_mean
from embassay.words.analyser import plain_words

if TYPE_CHECKING:
    from embassay.search.context import Context

    Alike = Callable[[Hashable, Sequence[Hashable]], Sequence[float]]
    """How much a candidate is like each of others, from 0 to 1."""

SHINGLE = 4
"""Words in a row that two texts share or do not (Broder, 1997)."""
WAYS = ("vector", "text", "either")


@dataclass(frozen=True)
class Dedupe(Inner):
    """Lets the first of several near-duplicates stand for those that are ranked behind it.

    A candidate is compared with those that stay, so that a chain of small differences does not fold two texts that
    differ much.
    """

    on_ranking: ClassVar[bool] = True
    folds: ClassVar[bool] = True

    least: float = argument(0.97, least=0, most=1)
    """From which likeness on two are the same."""
    by: str = argument("vector")
    """``vector``: the cosine of the stored vectors; ``text``: the share of the runs of four words, of all that either
    text has, that stand in both; ``either``: one of the two is enough."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by not in WAYS:
            raise UsageError(f"duplicates cannot be told by {self.by!r}.", remedy=did_you_mean(self.by, WAYS))

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates that are not like one before them, in their order. Raises StoreError."""
        refs = [one.ref for one in candidates.ranking]
        ways: list[Alike] = []
        if self.by != "text":
            ways.append(_by_vector(context, refs))
        if self.by != "vector":
            ways.append(_by_text({ref: chunk.text for ref, chunk in context.chunks(refs).items()}))
        kept: list[Hashable] = []
        heads: dict[Hashable, Hashable] = {}
        for ref in refs:
            likeness = [max(each) for each in zip(*(way(ref, kept) for way in ways), strict=True)]
            same = next((at for at, value in enumerate(likeness) if value >= self.least), None)
            if same is None:
                kept.append(ref)
            else:
                heads[ref] = kept[same]
        return folded(candidates, heads)


def _by_vector(context: Context, refs: Sequence[Hashable]) -> Alike:
    import numpy as np

    stored = context.vectors(refs)
    width = len(next(iter(stored.values()), ()))
    rows = np.array([stored[ref] if ref in stored else np.zeros(width) for ref in refs], np.float32)
    places = {ref: at for at, ref in enumerate(refs)}

    def alike(ref: Hashable, others: Sequence[Hashable]) -> Sequence[float]:
        if not others:
            return []
        found: list[float] = (rows[[places[other] for other in others]] @ rows[places[ref]]).tolist()
        return found

    return alike


def _by_text(texts: Mapping[Hashable, str]) -> Alike:
    shingles = {ref: _shingles(text) for ref, text in texts.items()}

    def alike(ref: Hashable, others: Sequence[Hashable]) -> Sequence[float]:
        own = shingles[ref]
        return [len(own & shingles[other]) / max(1, len(own | shingles[other])) for other in others]

    return alike


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of words of a text; of a shorter one all of it."""
    words = plain_words(text)
    return frozenset(tuple(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1)))


STAGE = Dedupe
