"""Vectors of one model that outlive the call that made them: which key each has, and where they are kept.

A vector is found again by everything that decides it: the space, the numeric precision, the role and the exact text,
and for a service that shows no files also where it put the canary texts. For a text above the token limit that is also
what was done about it, and the limit. `Keeper` makes these keys over any `Vault`; the registry makes one for each model
and hands it to whoever makes or looks up its vectors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from embassay.vectors import sound_rows

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import OnLong, Role, Vectors

FITS, TRUNCATED, SPLIT = 0, 1, 2
"""Whether a vector is that of a whole text, of its head alone, or of its parts."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One vector, as its float32 bytes, with what its embedder said of the text."""

    vector: bytes
    tokens: int
    long: int = FITS
    """FITS, TRUNCATED or SPLIT."""


NOTHING = Kept(b"", 0)
"""No vector of any model: it counts as missing."""


class Vault(Protocol):
    """Where vectors are kept by key. Threads may share it. Every method may raise CacheError."""

    def get(self, keys: Sequence[bytes], ttl: float | None = None) -> dict[bytes, Kept]:
        """What is there, and no older than `ttl` seconds."""

    def put(self, rows: Iterable[tuple[bytes, Kept]]) -> None:
        """Keep vectors; what has the same key is replaced."""

    def tell(self, hits: int, misses: int) -> None:
        """Count for the statistics how many texts were found, and how many were not."""


class Keys:
    """The keys of texts under one set of circumstances."""

    def __init__(
        self, space: Space, precision: str, role: Role, on_long: OnLong, max_tokens: int, witness: str = ""
    ) -> None:
        """`witness`: digest of where the model puts the canaries; empty where the space says all of it."""
        self.space = space
        self._base = blake2b(f"{space.of_short_texts.digest}\0{precision}\0{role}\0{witness}".encode(), digest_size=16)
        self._policy = f"{on_long} {max_tokens}".encode()
        self.on_long, self.max_tokens = on_long, max_tokens

    def of(self, texts: Iterable[str]) -> list[bytes]:
        """The key of each text as one that fits the limit."""
        keys = []
        for text in texts:
            digest = self._base.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys

    def of_long(self, key: bytes) -> bytes:
        """The key of the same text as one that does not fit."""
        return blake2b(self._policy, key=key, digest_size=16).digest()


class Keeper:
    """Keeps and finds the vectors of one model. Threads may share it."""

    def __init__(self, vault: Vault, ttl: float | None = None) -> None:
        """`ttl`: seconds after which a vector is forgotten; None: never."""
        self._vault, self._ttl = vault, ttl
        self._arrived: set[bytes] = set()
        """Kept as they arrived from a provider, and not handed on to the caller yet."""
        self._lock = threading.Lock()

    def find(self, keys: Keys, wanted: Sequence[bytes]) -> dict[bytes, Kept]:
        """Of the keys in `wanted`, all different, those whose vectors are kept. Raises CacheError.

        The vector of a whole text is one only while the present limit admits the text; otherwise there may be one
        that was cut or split as the caller asks now.
        """
        kept = self._sound(wanted, keys.space)
        found = {key: one for key, one in kept.items() if one.tokens <= keys.max_tokens}
        if len(found) < len(wanted) and keys.on_long != "error":
            absent = {keys.of_long(key): key for key in wanted if key not in found}
            found |= {absent[key]: one for key, one in self._sound(list(absent), keys.space).items()}
        self._vault.tell(len(found), len(wanted) - len(found))
        return found

    def _sound(self, wanted: Sequence[bytes], space: Space) -> dict[bytes, Kept]:
        """What is kept and can be a vector of `space`; anything else counts as missing."""
        kept = self._vault.get(wanted, self._ttl)
        size = space.dimensions * 4
        kept = {key: one for key, one in kept.items() if len(one.vector) == size}
        if not kept:
            return kept
        import numpy as np

        rows = np.frombuffer(b"".join([one.vector for one in kept.values()]), np.float32)
        good = sound_rows(rows.reshape(len(kept), space.dimensions), normalised=space.normalised)
        if good.all():
            return kept
        return {key: one for (key, one), sound in zip(kept.items(), good, strict=True) if sound}

    def keep(self, keys: Keys, made: Mapping[bytes, Kept]) -> None:
        """Keep the vectors of a call by the texts' keys, but for those that arrived before. Raises CacheError."""
        rows = [(key if one.long == FITS else keys.of_long(key), one) for key, one in made.items()]
        with self._lock:
            fresh = [row for row in rows if row[0] not in self._arrived]
            self._arrived.difference_update(key for key, _ in rows)
        if fresh:
            self._vault.put(fresh)

    def forget(self, keys: Iterable[bytes]) -> None:
        """What was kept under these keys is no vector of its model, as turned out. Raises CacheError."""
        self._vault.put([(key, NOTHING) for key in keys])

    def arrive(
        self, keys: Keys, texts: Sequence[str], vectors: Sequence[Vectors], tokens: Sequence[int], cut: Sequence[bool]
    ) -> Sequence[bytes]:
        """Keep what a provider has just answered, whatever becomes of the call that asked; under which keys.

        Raises CacheError. Each of `texts` has its vector, its tokens and whether the provider cut it.
        """
        rows = [
            (keys.of_long(key), Kept(vector.tobytes(), count, TRUNCATED))
            if short
            else (key, Kept(vector.tobytes(), count))
            for key, vector, count, short in zip(keys.of(texts), vectors, tokens, cut, strict=True)
        ]
        self._vault.put(rows)
        kept = [key for key, _ in rows]
        with self._lock:
            self._arrived.update(kept)
        return kept
