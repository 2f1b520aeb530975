"""What stands around a hit: the chunks before and after it in the same document, in reading order; so many of them,
or the passage that the hit is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.types import Extent

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Hit

MOST = 100
"""Chunks on either side that can be asked for."""


@dataclass(frozen=True, slots=True)
class Around:
    """How much of a document is shown for a hit."""

    by: str
    """``section``: the chunks around it that stand under the same headings; ``document``: all of its document."""
    tokens: int
    """Of which so many at the most, the nearest ones; 0: as many as there are."""

    def within(self, chunks: Sequence[Chunk], at: int) -> tuple[int, int]:
        """The first chunk of the passage around the one at `at`, and the one behind its last: `chunks` are those of
        the document, in reading order. The chunk itself is always in it."""
        first, end = at, at + 1
        low = next((at - n for n in range(1, at + 1) if not self._joins(chunks[at - n], chunks[at])), -1) + 1
        high = next((n for n in range(at + 1, len(chunks)) if not self._joins(chunks[n], chunks[at])), len(chunks))
        if not self.tokens:
            return low, high
        left, before = self.tokens - chunks[at].tokens, True
        while first > low or end < high:
            before = first > low if end == high else not before if first > low else False
            taken = chunks[first - 1 if before else end].tokens
            if taken > left:
                break
            left -= taken
            first, end = (first - 1, end) if before else (first, end + 1)
        return first, end

    def _joins(self, one: Chunk, other: Chunk) -> bool:
        return self.by == "document" or one.section == other.section


def check_context(chunks: int) -> None:
    """Raises UsageError for a number of neighbours that cannot be given."""
    if isinstance(chunks, bool) or not isinstance(chunks, int) or not 0 <= chunks <= MOST:
        raise UsageError(f"context is {chunks!r}; it must be a whole number between 0 and {MOST}.")


def shown_whole(
    hits: Sequence[Hit], snapshots: Mapping[str, Snapshot], context: int, around: Around | None
) -> Sequence[Hit]:
    """The hits with `context` chunks on either side, or with the passage `around` them, or as they are.

    Raises StoreError, and UsageError where both are asked for.
    """
    if context and around:
        raise UsageError("context and parent both say what is shown around a hit.", remedy="Leave one of the two out.")
    if around:
        return with_passages(hits, snapshots, around)
    return with_neighbours(hits, snapshots, context) if context else hits


def with_neighbours(hits: Sequence[Hit], snapshots: Mapping[str, Snapshot], most: int) -> list[Hit]:
    """Each hit with the text of at most `most` chunks on either side, of the version of its set that it was found in.

    `snapshots` are those versions by set.
    """
    documents = _documents(hits, snapshots)
    return [_surrounded(hit, documents[hit.set, hit.chunk.document], most) for hit in hits]


def with_passages(hits: Sequence[Hit], snapshots: Mapping[str, Snapshot], around: Around) -> list[Hit]:
    """Each hit with the rest of the passage that it is a part of, of the version of its set that it was found in.

    `snapshots` are those versions by set.
    """
    documents = _documents(hits, snapshots)
    return [_in_passage(hit, documents[hit.set, hit.chunk.document], around) for hit in hits]


def in_order(snapshot: Snapshot, documents: Iterable[str]) -> dict[str, list[Chunk]]:
    """The chunks of these documents by document, in reading order. Raises StoreError."""
    found: dict[str, list[Chunk]] = {name: [] for name in documents}
    for chunk in snapshot.chunks(list(found), by="document"):
        found[chunk.document].append(chunk)
    for chunks in found.values():
        chunks.sort(key=lambda chunk: chunk.span)
    return found


def place_of(chunks: Sequence[Chunk], key: str) -> int | None:
    """Where the chunk of a key stands among others; None for a row that was damaged by hand."""
    return next((place for place, chunk in enumerate(chunks) if chunk.key == key), None)


def _documents(hits: Sequence[Hit], snapshots: Mapping[str, Snapshot]) -> dict[tuple[str, str], list[Chunk]]:
    """The chunks of the documents of the hits, by set and document, in reading order."""
    wanted = {(hit.set, hit.chunk.document): None for hit in hits}
    return {
        (name, document): chunks
        for name, snapshot in snapshots.items()
        for document, chunks in in_order(snapshot, [document for of, document in wanted if of == name]).items()
    }


def _surrounded(hit: Hit, chunks: Sequence[Chunk], most: int) -> Hit:
    at = place_of(chunks, hit.chunk.key)
    if at is None:
        return hit
    before, after = chunks[max(0, at - most) : at + 1], chunks[at : at + 1 + most]
    return replace(hit, before=_leading(before), after=_following(after))


def _in_passage(hit: Hit, chunks: Sequence[Chunk], around: Around) -> Hit:
    at = place_of(chunks, hit.chunk.key)
    if at is None:
        return hit
    first, end = around.within(chunks, at)
    whole = chunks[first:end]
    lines = whole[0].lines[0], max(one.lines[1] for one in whole)
    span = whole[0].span[0], max(one.span[1] for one in whole)
    passage = Extent(lines, span, sum(one.tokens for one in whole), len(whole))
    return replace(hit, before=_leading(chunks[first : at + 1]), after=_following(chunks[at:end]), passage=passage)


def _leading(chunks: Sequence[Chunk]) -> str:
    """The texts of all `chunks` but the last, each up to where the next one begins, with what parts them."""
    return "".join(one.text[: other.span[0] - one.span[0]] + _between(one, other) for one, other in pairwise(chunks))


def _following(chunks: Sequence[Chunk]) -> str:
    """The texts of all `chunks` but the first, each from where the one before ends, with what parts them."""
    return "".join(
        _between(one, other) + other.text[max(0, one.span[1] - other.span[0]) :] for one, other in pairwise(chunks)
    )


def _between(one: Chunk, other: Chunk) -> str:
    """The blanks between two chunks, which neither of them has: none, a space, a line break or an empty line."""
    if other.span[0] <= one.span[1]:
        return ""
    lines = other.lines[0] - one.lines[1]
    return " " if lines <= 0 else "\n" if lines == 1 else "\n\n"
