"""Looks for a query in another set, and names what is found there by the rows of the set that is searched.

A chunk has the same key in every set that was cut alike, because a key comes of the document's id and the text. Where
sets were cut otherwise, as for models that read texts of other lengths, a chunk stands for those of its document that
share half of the shorter one with it, and the best of several scores counts. Both sides of every product are of the
other space.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.stores.filters.meaning import predicate
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Vectors

SHARED = 0.5
"""Of the shorter of two chunks, from which on they stand for each other."""
ALIKE = "Index both from the same documents."


def nearest_elsewhere(context: Context, name: str, depth: int, label: str) -> list[Scored]:
    """At most `depth` rows of the set that is searched, by how near to the query their text lies in set `name`.

    What the searched set does not have is left out, and a notice says how much; so is what does not pass its filter.
    Raises ModelError, ProviderError, StoreError, SetNotFound; UsageError where a measurement finds nothing in common.
    """
    other = context.other(name)
    vector = context.embed(context.query, "query", other)  # before the snapshot, so that the store can open meanwhile
    found = other.snapshot.dense(vector, depth, context.where, label=label)
    chunks = other.snapshot.fetch([one.ref for one in found])
    here = counterparts(chunks, context.snapshot)
    left = sum(chunk.key not in here for chunk in chunks)
    if left and left == len(chunks) and not context.without_model:
        raise UsageError(f"nothing that was found in set {name!r} is in the set that is searched.", remedy=ALIKE)
    if left:
        _tell(
            context,
            f"{left:,} of {len(chunks):,} chunks found in set {name!r} have no counterpart in the set that is searched "
            f"and are left out. {ALIKE}",
        )
    best: dict[Hashable, float] = {}
    for chunk, one in zip(chunks, found, strict=True):
        for ref in here.get(chunk.key, ()):
            best.setdefault(ref, one.score)
    return _passing(context, [Scored(ref, score) for ref, score in best.items()])[:depth]


def scores_elsewhere(context: Context, name: str, refs: Sequence[Hashable], label: str) -> Vectors:
    """float32 (len(refs),): how near to the query the texts of these rows lie in set `name`; nan where it has none.

    Raises ModelError, ProviderError, StoreError, SetNotFound.
    """
    import numpy as np

    other = context.other(name)
    vector, chunks = context.embed(context.query, "query", other), context.chunks(refs)
    there = counterparts([chunks[ref] for ref in refs], other.snapshot)
    wanted = list(dict.fromkeys(ref for named in there.values() for ref in named))
    scores = dict(zip(wanted, other.snapshot.dense_scores(vector, wanted, label=label).tolist(), strict=True))
    each = (there.get(chunks[ref].key, ()) for ref in refs)
    return np.array([max((scores[one] for one in named), default=np.nan) for named in each], np.float32)


def counterparts(chunks: Sequence[Chunk], snapshot: Snapshot) -> Mapping[str, Sequence[Hashable]]:
    """The rows of `snapshot` that each of `chunks`, by its key, stands for; none of one whose text is not there."""
    named = snapshot.refs([chunk.key for chunk in chunks])
    found: dict[str, Sequence[Hashable]] = {key: (ref,) for key, ref in named.items()}
    missing = [chunk for chunk in chunks if chunk.key not in named]
    if missing:
        theirs = _by_document(snapshot.chunks({chunk.document for chunk in missing}, by="document"))
        shared = {chunk.key: [t.key for t in theirs[chunk.document] if _overlap(chunk, t)] for chunk in missing}
        refs = snapshot.refs(list(dict.fromkeys(key for keys in shared.values() for key in keys)))
        found |= {key: [refs[one] for one in keys if one in refs] for key, keys in shared.items() if keys}
    return found


def _by_document(chunks: Iterable[Chunk]) -> Mapping[str, Sequence[Chunk]]:
    found: dict[str, list[Chunk]] = defaultdict(list)
    for chunk in chunks:
        found[chunk.document].append(chunk)
    return found


def _overlap(one: Chunk, other: Chunk) -> bool:
    """Whether two chunks of a document share `SHARED` of the shorter one."""
    (first, end), (other_first, other_end) = one.span, other.span
    shorter = min(end - first, other_end - other_first)
    return shorter > 0 and min(end, other_end) - max(first, other_first) >= SHARED * shorter


def _passing(context: Context, found: Sequence[Scored]) -> list[Scored]:
    """Those that pass the filter as they are in the searched set: the other one may have other metadata."""
    if context.where is None:
        return list(found)
    passes, chunks = predicate(context.where), context.chunks([one.ref for one in found])
    return [one for one in found if passes(chunks[one.ref])]


def _tell(context: Context, notice: str) -> None:
    """Once, although an arm may look several times."""
    if notice not in context.trace.notices:
        context.trace.notices.append(notice)
