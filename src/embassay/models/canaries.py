"""Where models put the canary texts, kept in the vector cache by space."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS
from embassay.embedders.keeper import Kept, Vault

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors


class KeptCanaries:
    """A `CanaryMemory`. The vectors of all canaries of a space lie behind each other under one key."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def recall(self, space: Space) -> Vectors | None:
        """float32 (number of canaries, dimensions), or None where nothing is known. Raises CacheError."""
        import numpy as np

        key = _key(space)
        kept = self._vault.get([key]).get(key)
        if kept is None:
            return None
        return np.frombuffer(kept.vector, np.float32).reshape(len(CANARY_TEXTS), space.dimensions)

    def remember(self, space: Space, vectors: Vectors) -> None:
        """Keep where the model of `space` put the canaries. Raises CacheError."""
        self._vault.put([(_key(space), Kept(vectors.tobytes(), 0))])


def _key(space: Space) -> bytes:
    words = "\0".join(("canaries", space.digest, *CANARY_TEXTS))
    return blake2b(words.encode(), digest_size=16).digest()
