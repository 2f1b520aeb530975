"""What stands around a hit: the chunks before and after it in the same document, in reading order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Hit

MOST = 100
"""Chunks on either side that can be asked for."""


def check_context(chunks: int) -> None:
    """Raises UsageError for a number of neighbours that cannot be given."""
    if isinstance(chunks, bool) or not isinstance(chunks, int) or not 0 <= chunks <= MOST:
        raise UsageError(f"context is {chunks!r}; it must be a whole number between 0 and {MOST}.")


def with_neighbours(hits: Sequence[Hit], snapshots: Mapping[str, Snapshot], most: int) -> list[Hit]:
    """Each hit with the text of at most `most` chunks on either side, of the version of its set that it was found in.

    `snapshots` are those versions by set.
    """
    documents: dict[tuple[str, str], list[Chunk]] = {(hit.set, hit.chunk.document): [] for hit in hits}
    for name, snapshot in snapshots.items():
        for chunk in snapshot.chunks([document for of, document in documents if of == name], by="document"):
            documents[name, chunk.document].append(chunk)
    for chunks in documents.values():
        chunks.sort(key=lambda chunk: chunk.span)
    return [_surrounded(hit, documents[hit.set, hit.chunk.document], most) for hit in hits]


def _surrounded(hit: Hit, chunks: Sequence[Chunk], most: int) -> Hit:
    at = next((place for place, chunk in enumerate(chunks) if chunk.key == hit.chunk.key), None)
    if at is None:  # a row that was damaged by hand
        return hit
    before, after = chunks[max(0, at - most) : at + 1], chunks[at : at + 1 + most]
    return replace(hit, before=_leading(before), after=_following(after))


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
