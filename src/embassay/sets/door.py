"""The one door to the vectors of a set: its model, held against what the set was made with.

Whoever wants vectors in the space of a set gets a `SetEmbedder`. It proves that the model still is the one of the set
before its first vector is handed out, and looks at every vector's space after that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS, SAME_SPACE, Anchor, least_likeness
from embassay.embedders.wrap.chain import Fallback
from embassay.embedders.wrap.wrapper import Wrapper, uncached
from embassay.errors import HomeError, SpaceMismatch
from embassay.sets.generation_rows import IDENTITY
from embassay.sets.state import Generation, State
from embassay.space import NO_TRANSFORM, OLD_MODEL_OR_NEW_SET, Space, check_space
from embassay.stores.values import VECTOR
from embassay.types import ROLES, Embeddings, OnLong, Role
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.engine.token_states import TokenStates
    from embassay.stores.base import Store
    from embassay.types import Vectors

SAMPLED_ROWS = 8
"""Stored vectors of a set without canaries that its model has to make again."""
PROVEN_SECONDS = 300.0
"""How long a proof holds for a model that neither is trusted nor proves itself with each request."""


def anchor_of(embedder: Embedder) -> Anchor:
    """Where a model puts the canaries, past every cache. Raises ModelError, ProviderError."""
    own = {role: embedder.canaries(role) for role in ROLES}
    if embedder.space.transform == NO_TRANSFORM:
        return Anchor(own, own)
    asked = uncached(embedder)
    return Anchor(own, {role: asked.embed(CANARY_TEXTS, role).vectors for role in ROLES})


class Door:
    """What has been proven of the model of one generation. Threads may share it."""

    def __init__(self, generation: Generation, state: State, store: Callable[[], Store]) -> None:
        """`store` opens the generation's rows, where they are needed as evidence."""
        self.generation, self.state = generation, state
        self.anchor = state.proofs.anchor(generation.id)
        self._store = store
        self._lock = threading.RLock()
        self._space: Space | None = None
        self._proven: dict[Role, float] = {}
        self._prover: Embedder | None = None
        """Who has proven that: another model under the same name has to prove itself."""
        self._noted: set[str] = set()

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.generation.set_name

    def admit(self, embedder: Embedder) -> Space:
        """The space of the set, once its model is known to live there. Raises SpaceMismatch, and as embedding does."""
        with self._lock:
            if self._space is None:
                made, stored = embedder.space, self.generation.space
                from_before = self.generation.identity < IDENTITY and stored in (made, embedder.former_space)
                if not from_before or made.similarity != stored.similarity:  # rows of length 1 are not those of dot
                    check_space(made, stored, self.name)
                if from_before or (self.anchor is None and not embedder.is_trusted):
                    self._prove_by_rows(embedder, made)
                    if not embedder.is_trusted:
                        self.remember(embedder)
                if from_before:
                    self._renew(made)
                self._space = made
            return self._space

    def prove(self, embedder: Embedder, role: Role) -> None:
        """Have a model put the canaries where they were, unless it does so by itself. Raises SpaceMismatch."""
        if embedder.is_trusted or embedder.is_anchored or self.anchor is None:
            return
        with self._lock:
            now = time.monotonic()
            if embedder is not self._prover:
                self._prover, self._proven = embedder, {}
            if now - self._proven.get(role, -PROVEN_SECONDS) < PROVEN_SECONDS:
                return
            cosine = least_likeness(embedder.canaries(role), self.anchor.own[role], self.generation.space.similarity)
            if cosine < SAME_SPACE:
                raise self._other_vectors(embedder, f"as {role}, a text that is known has", cosine)
            self._proven[role] = now

    def note(self, embedder: Embedder, made: Embeddings) -> None:
        """Write down that a stand-in, which made some vectors, was proven to share the space of the set."""
        if not isinstance(embedder, Fallback) or made.model in self._noted:
            return
        proof = embedder.proofs.get(made.model)
        if proof is not None:
            with suppress(HomeError):  # the proof holds for this process all the same
                self.state.proofs.add(self.generation.id, made.model, proof.space, proof.cosine)
        self._noted.add(made.model)

    def remember(self, embedder: Embedder) -> None:
        """Keep where the model puts the canaries, for a set that has none."""
        with self._lock:
            if self.anchor is None:
                anchor = anchor_of(embedder)
                with suppress(HomeError):  # a disk that cannot be written is no reason to refuse a search
                    self.state.proofs.keep(self.generation.id, anchor)
                self.anchor = anchor

    def _prove_by_rows(self, embedder: Embedder, space: Space) -> None:
        """Have a model make some of the stored vectors again, where nobody noted where it put the canaries."""
        texts, stored = self._sample()
        if texts:
            again = comparable(uncached(embedder).embed(texts, "document").vectors, space)
            cosine = least_likeness(again, stored, space.similarity)
            if cosine < SAME_SPACE:
                raise self._other_vectors(embedder, "a stored text has", cosine)

    def _renew(self, space: Space) -> None:
        """Write the whole identity of a set that was made before spaces had it."""
        self.generation = replace(self.generation, space=space, identity=IDENTITY)
        with suppress(HomeError):  # a disk that cannot be written is no reason to refuse a search
            self.state.renew(self.generation, space)

    def _sample(self) -> tuple[list[str], Vectors]:
        """Some of the stored texts, and their vectors: float32 (texts, dimensions)."""
        import numpy as np

        texts: list[str] = []
        rows: list[Vectors] = []
        with closing(self._store()) as store, store.snapshot() as snapshot:
            for chunks, by_label in islice(snapshot.scan(), 1):
                step = max(1, len(chunks) // SAMPLED_ROWS)
                for at in range(0, len(chunks), step)[:SAMPLED_ROWS]:
                    texts.append(chunks[at].indexed)
                    rows.append(by_label[VECTOR][at])
        return texts, np.array(rows, np.float32)

    def _other_vectors(self, embedder: Embedder, what: str, cosine: float) -> SpaceMismatch:
        return SpaceMismatch(
            f"set {self.name!r} holds other vectors than {embedder.name} makes now: {what} the cosine {cosine:.2f} to "
            "what it was.",
            remedy=OLD_MODEL_OR_NEW_SET,
        )


class SetEmbedder(Wrapper):
    """The model of a set. Its vectors are those of the set's space, or there are none."""

    is_transparent = True

    def __init__(self, inner: Embedder, door: Door) -> None:
        super().__init__(inner)
        self._door = door

    @property
    def space(self) -> Space:
        """The space of the set. Raises SpaceMismatch where its model lives elsewhere now."""
        return self._door.admit(self.inner)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        self._enter(role)
        blocks = self.inner.stream(texts, role, on_long)  # held here, so that its texts are not read on after an error
        for block in blocks:
            yield self._checked(block)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        self._enter(role)
        return self._checked(self.inner.embed(texts, role, on_long))

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:
        """Those of the model that made the set, once that is known to be the one at hand."""
        self._enter(role)
        return self.inner.token_states(texts, role)

    def _enter(self, role: Role) -> None:
        self._door.admit(self.inner)
        for one in ROLES if role == "document" else (role,):  # documents stay, and are searched in the other role
            self._door.prove(self.inner, one)

    def _checked(self, made: Embeddings) -> Embeddings:
        check_space(made.space, self._door.generation.space, self._door.name)
        self._door.note(self.inner, made)
        is_believed = self.inner.is_trusted and self.inner.remote  # then nobody asks, and pays, for canaries
        if made.role == "document" and len(made) and not is_believed:
            self._door.remember(self.inner)
        return made
