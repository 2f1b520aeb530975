"""All that a generation is derived of at once, where its store can do that: no row is read by itself.

What is written to the live generation meanwhile differs afterwards, and is brought by `Following` as all changes are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.build.deriving import derivation
from embassay.stores.base import Derivable

if TYPE_CHECKING:
    from embassay.sets.build.following import Books


def derive_all(leader: Books, follower: Books) -> bool:
    """Fill a follower of which nothing is settled yet; False where it has to be followed origin by origin.

    The caller may write the follower. A call that was killed is repeated from its start. Raises StoreError, HomeError.
    """
    ours, theirs = leader.generation, follower.generation
    derive = derivation(ours.space, theirs.space, follower.state.projections.of(theirs.id))
    if derive is None or not isinstance(follower.store, Derivable) or follower.state.sources(theirs):
        return False
    before = {row.path: row for row in leader.state.sources(ours)}
    with leader.store.snapshot() as version:
        now = leader.state.sources(ours)
        settled = [row for row in now if row.state != "pending" and before.get(row.path) == row]
        if not follower.store.take_over(version, derive, {row.path for row in settled}):
            return False
    follower.state.records.copy(ours.id, theirs.id, [row.path for row in settled if row.is_record])
    follower.state.put(theirs, settled)
    return True
