"""``parent``, ``parent("document")``, ``parent("document", tokens=800)``: the passage that a chunk is a part of.

Small chunks are found more exactly, and large ones say more: what is found is the chunk, and what is shown is its
section, its document, or as much of that as a number of tokens allows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import UsageError
from embassay.search.arguments import argument
from embassay.search.base import MOST, Candidates, Inner
from embassay.search.documents import DOCUMENT, SECTION, documents, folded
from embassay.search.neighbours import Around, in_order, place_of
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.stores.values import Scored
    from embassay.types import Chunk

WHOLES = (SECTION, DOCUMENT)


@dataclass(frozen=True)
class Parent(Inner):
    """Lets the best chunk of each passage stand for the others in it, which come out behind it."""

    on_ranking: ClassVar[bool] = True
    folds: ClassVar[bool] = True

    by: str = argument(SECTION)
    """``section``: what stands under the same headings; ``document``: all of the document."""
    tokens: int = argument(0, least=0, most=MOST)
    """Of it, so many tokens around the chunk at the most; 0: all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by not in WHOLES:
            raise UsageError(f"no hit is part of a {self.by!r}.", remedy=did_you_mean(self.by, WHOLES))

    @classmethod
    def of(cls, wanted: str | int) -> Parent:
        """``section`` and ``document`` by their names; a number of tokens for as much around each hit.

        Raises UsageError for anything else.
        """
        if isinstance(wanted, str) and not wanted.isdecimal():
            return cls(wanted)
        return cls(DOCUMENT, tokens=int(wanted))

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The best candidate of each passage. Raises StoreError."""
        wholes: dict[tuple[str, str], list[Scored]] = {}
        for name, candidate in zip(documents(context, candidates.ranking, self.by), candidates.ranking, strict=True):
            wholes.setdefault(name, []).append(candidate)
        several = [found for found in wholes.values() if len(found) > 1]
        around = Around(self.by, self.tokens)
        heads: dict[Hashable, Hashable] = {}
        if self.tokens:
            heads.update(_in_reach(context, several, around))
        else:
            heads.update((one.ref, first.ref) for first, *others in several for one in others)
        return replace(folded(candidates, heads), around=around)


def _in_reach(
    context: Context, several: Sequence[Sequence[Scored]], around: Around
) -> Iterator[tuple[Hashable, Hashable]]:
    """The candidates that stand in the passage around a better one, each with that one. Raises StoreError."""
    chunks = context.chunks([one.ref for found in several for one in found])
    orders = in_order(context.snapshot, {chunks[found[0].ref].document: None for found in several})
    for found in several:
        order = orders[chunks[found[0].ref].document]
        reached: dict[str, Hashable] = {}
        for one in found:
            key = chunks[one.ref].key
            if key in reached:
                yield one.ref, reached[key]
                continue
            for other in _passage(order, key, around):
                reached.setdefault(other.key, one.ref)


def _passage(order: Sequence[Chunk], key: str, around: Around) -> Sequence[Chunk]:
    """The chunks of the passage around one of them."""
    at = place_of(order, key)
    return order[slice(*around.within(order, at))] if at is not None else ()


STAGE = Parent
