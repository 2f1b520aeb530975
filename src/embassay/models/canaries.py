"""Where models put the canary texts, kept in the vector cache by space and role."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS

if TYPE_CHECKING:
    from embassay.models.cache import VectorCache
    from embassay.space import Space
    from embassay.types import Role, Vectors


class KeptCanaries:
    """A `CanaryMemory`. The vectors of all canaries of a space in one role lie behind each other under one key."""

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache

    def recall(self, space: Space, role: Role) -> Vectors | None:
        """float32 (number of canaries, dimensions), or None where nothing is known. Raises CacheError."""
        kept = self._cache.canaries(_key(space, role))
        return None if kept is None else _rows(kept, space)

    def remember(self, space: Space, role: Role, vectors: Vectors) -> Vectors:
        """Keep where the model of `space` put the canaries; of two processes the first one is right.

        What is kept now. Raises CacheError.
        """
        found = _rows(self._cache.keep_canaries(_key(space, role), vectors.tobytes()), space)
        return vectors if found is None else found


def _rows(kept: bytes, space: Space) -> Vectors | None:
    import numpy as np

    if len(kept) != len(CANARY_TEXTS) * space.dimensions * 4:
        return None
    found = np.frombuffer(kept, np.float32).reshape(len(CANARY_TEXTS), space.dimensions)
    return found if np.isfinite(found).all() else None


def _key(space: Space, role: Role) -> bytes:
    words = "\0".join(("canaries", space.of_short_texts.digest, role, *CANARY_TEXTS))
    return blake2b(words.encode(), digest_size=16).digest()
