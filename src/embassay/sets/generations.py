"""Which generation a run may write: that of an existing set, or the first one of a new set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_STORE
from embassay.errors import UsageError
from embassay.files import expanded
from embassay.ingest.exclude import NOTHING, Exclusions
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
    sets: OpenSets, name: str, wishes: Wishes, files: Sequence[Path], exclude: Exclusions = NOTHING
) -> tuple[Generation, Embedder]:
    """The live generation of set `name`, made if there is no such set, and the model that belongs to it.

    `files`, but for what `exclude` names, are what the first run is about. Whatever can be wrong is found before
    anything is made. Raises UsageError for wishes that an existing set does not have and for files that are missing,
    SpaceMismatch for another model.
    """
    if sets.exists and name in sets.writable_state().sets():
        return _existing(sets, sets.live(name), wishes)
    return _first(sets, name, wishes, files, exclude)


def _existing(sets: OpenSets, generation: Generation, wishes: Wishes) -> tuple[Generation, Embedder]:
    """An existing set keeps what it was made with."""
    if wishes.model is not None and (other := _remembered(wishes.model)) != generation.spec.model:
        asked = sets.model(other, wishes.precision or "auto")
        check_space(asked.space, generation.space, generation.set_name)
    embedder = sets.embedder(generation)
    wishes.check(generation.spec, generation.set_name, embedder.tokens)
    return generation, embedder


def _first(
    sets: OpenSets, name: str, wishes: Wishes, files: Sequence[Path], exclude: Exclusions
) -> tuple[Generation, Embedder]:
    from embassay.ingest.defaults import DEFAULT_TOKENS
    from embassay.ingest.sample import sample_texts
    from embassay.words.detection import detect

    check_name(name)
    for file in files:
        if not file.exists():
            raise UsageError(f"{file}: no such file or folder.")
    chosen = _remembered(wishes.model or sets.models.default_name)
    embedder = sets.model(chosen, wishes.precision or "auto")
    spec = resolve(
        wishes,
        chosen,
        embedder.tokens,
        chunk_tokens=DEFAULT_TOKENS,
        store=DEFAULT_STORE,
        language=lambda: sets.models.config.language or detect(sample_texts(files, exclude)),
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
    """Raises UsageError for what cannot name a set."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "/" in name or not name.strip():
        raise UsageError(f"{name!r} cannot name a set: 1 to {LONGEST_NAME} printable characters without a slash.")


def _remembered(model: str) -> str:
    """How a model is written down: a folder by its absolute path, anything else as it is."""
    folder = expanded(model)
    return os.path.abspath(folder) if folder.is_dir() else model
