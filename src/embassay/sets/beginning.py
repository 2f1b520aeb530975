"""The first run of a set: where it ends before anything was stored, there is no set afterwards.

Otherwise a run that failed with its first request, because of a wrong key or the wrong name of a model, would leave an
empty set that refuses the right model. A run that was killed can clear nothing away: the next one that wants another
model makes such a set anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, HomeError, StoreError
from embassay.sets.generations import generation_for_writing
from embassay.sets.manage import delete_set
from embassay.sets.opened import OpenSets
from embassay.sets.spec import Wishes

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.state import Generation


@contextmanager
def begun(
    sets: OpenSets, name: str, wishes: Wishes, sample: Callable[[], Iterable[str]]
) -> Iterator[tuple[Generation, Embedder]]:
    """The generation that a run writes, and its model, for the time of the block; see `generation_for_writing`.

    A set that was made for the block goes again where that raises and nothing was stored.
    """
    is_new = not _is_there(sets, name)
    try:
        generation, embedder = generation_for_writing(sets, name, wishes, sample)
    except EmbassayError:
        if is_new or not _cleared(sets, name):
            raise
        is_new = True
        generation, embedder = generation_for_writing(sets, name, wishes, sample)
    try:
        yield generation, embedder
    except EmbassayError:
        if is_new:
            _cleared(sets, name)
        raise


def _is_there(sets: OpenSets, name: str) -> bool:
    return sets.exists and name in sets.state.sets()


def _cleared(sets: OpenSets, name: str) -> bool:
    """Remove a set to which nothing was ever written, unless another process is at it; whether it is gone."""
    with suppress(HomeError, StoreError):
        by_itself = _is_there(sets, name) and sets.state.roster.auto_embed(name) is None  # nobody made it on purpose
        if by_itself and not sets.state.sources(sets.live(name)):
            delete_set(sets, name)
            return True
    return False
