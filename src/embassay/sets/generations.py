"""Which generation a run may write: that of an existing set, or the first one of a new set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_STORE
from embassay.errors import UsageError
from embassay.files import expanded
from embassay.models.reference import uncut
from embassay.sets.door import anchor_of
from embassay.sets.opened import OpenSets
from embassay.sets.spec import Wishes, resolve
from embassay.sets.state import Generation, new_collection
from embassay.space import check_space

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder

LONGEST_NAME = 100
"""Characters of a set's name."""


def generation_for_writing(
    sets: OpenSets, name: str, wishes: Wishes, sample: Callable[[], Iterable[str]]
) -> tuple[Generation, Embedder]:
    """The live generation of set `name`, made if there is no such set, and the model that belongs to it.

    `sample` gives some of the texts that the first run is about, by which their language is told. Whatever can be wrong
    is found before anything is made. Raises UsageError for wishes that an existing set does not have, SpaceMismatch
    for another model, and what `sample` raises.
    """
    if sets.exists and name in sets.writable_state().sets():
        return _existing(sets, sets.live(name), wishes)
    return _first(sets, name, wishes, sample)


def _existing(sets: OpenSets, generation: Generation, wishes: Wishes) -> tuple[Generation, Embedder]:
    """An existing set keeps what it was made with."""
    named = wishes.model or (uncut(generation.spec.model) if wishes.truncate_dim else None)
    if named is not None and (other := wishes.reference(remembered(named))) != generation.spec.model:
        asked = sets.model(other, wishes.precision or "auto")
        check_space(asked.space, generation.space, generation.set_name)
    embedder = sets.embedder(generation)
    wishes.check(generation.spec, generation.set_name, embedder.tokens)
    return generation, embedder


def _first(
    sets: OpenSets, name: str, wishes: Wishes, sample: Callable[[], Iterable[str]]
) -> tuple[Generation, Embedder]:
    from embassay.ingest.defaults import DEFAULT_TOKENS
    from embassay.words.detection import detect

    check_name(name)
    chosen = wishes.reference(remembered(wishes.model or sets.models.default_name))
    embedder = sets.model(chosen, wishes.precision or "auto")
    spec = resolve(
        wishes,
        chosen,
        embedder.tokens,
        chunk_tokens=DEFAULT_TOKENS,
        store=DEFAULT_STORE,
        language=lambda: sets.models.config.language or detect(sample()),
    )
    space, collection = embedder.space, new_collection()
    anchor = None if embedder.is_trusted else anchor_of(embedder)
    state = sets.writable_state()
    store = sets.folder.open_store(spec, collection, space, create=True)  # before anyone asks for it
    generation = state.create(name, collection, space, spec, anchor)
    if generation.name != collection:  # another process made the set meanwhile
        store.drop()
        store.close()
        return _existing(sets, generation, wishes)
    store.close()
    return generation, sets.embedder(generation)


def check_name(name: str) -> None:
    """Raises UsageError for what cannot name a set; neither can what a path would read as a folder."""
    if not name.strip(". ") or len(name) > LONGEST_NAME or not name.isprintable() or "/" in name:
        raise UsageError(
            f"{name!r} cannot name a set: 1 to {LONGEST_NAME} printable characters without a slash, and not dots alone."
        )


def remembered(model: str) -> str:
    """How a model is written down: a folder by its absolute path, anything else as it is."""
    folder = expanded(model)
    return os.path.abspath(folder) if folder.is_dir() else model
