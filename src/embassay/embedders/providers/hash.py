"""Deterministic vectors from the SHA-256 of a text: for tests, demos, and as the last link of a chain.

Equal texts have equal vectors, different ones are nearly orthogonal; there is no meaning in them. ``dimensions`` is
64 to 4,096, by default 384. The same text gives the same vector on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from embassay.embedders.base import Embedder
from embassay.embedders.settings import Settings as CommonSettings
from embassay.embedders.texts.blocks import is_blank, windows
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import DimensionsRefused
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Vectors

SMALLEST, LARGEST, DEFAULT = 64, 4096, 384
BATCH_TEXTS = 4096
NEEDS_CARD = False
"""There is nothing to know of it: any dimensions are right."""


class Settings(CommonSettings, frozen=True, kw_only=True):
    pass


class HashEmbedder(Embedder):
    """Reads all of a text, however long."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions

    @property
    def tokens(self) -> EstimatedTokens:
        return EstimatedTokens(1 << 30)

    @property
    def space(self) -> Space:
        return Space(f"hash/{self._dimensions}", "sha256-splitmix64", self._dimensions, pooling="none")

    @property
    def is_trusted(self) -> bool:
        return True

    @property
    def precision(self) -> str:
        return "f32"

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        for batch in windows(texts, BATCH_TEXTS):
            words = [0 if is_blank(text) else max(1, len(text) // 4) for text in batch]
            vectors = hashed(batch, self._dimensions)
            vectors[[not n for n in words]] = 0
            yield Embeddings(vectors, words, [False] * len(batch), self.space, role, "f32", self.name)


def hashed(texts: Sequence[str], dimensions: int) -> Vectors:
    """float32 (len(texts), dimensions) of length 1: each text's SHA-256 seeds a SplitMix64 sequence.

    SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    import numpy as np

    digests = b"".join(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8] for text in texts)
    seeds = np.frombuffer(digests, "<u8").reshape(-1, 1)
    steps = np.arange(1, (dimensions + 1) // 2 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = seeds + steps
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    values: Vectors = mixed.astype("<u8", copy=False).view("<i4")[:, :dimensions].astype(np.float32)
    values /= np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float64)).astype(np.float32)[:, None]
    return values


def takes(model_id: str) -> bool:
    """The bare name of the provider is a model too: the one of the usual dimensions."""
    return True


def sizes(settings: Settings, card: ModelCard | None) -> bool:
    """Any dimensions are made here."""
    return True


def open_embedder(settings: Settings, card: ModelCard | None) -> HashEmbedder:
    """Hash vectors of the dimensions in `settings`, else of a number that the model's name is, else of the usual ones.

    Raises DimensionsRefused for dimensions outside of 64 to 4,096.
    """
    named = settings.model_id if re.fullmatch("[0-9]{1,9}", settings.model_id) else ""
    dimensions = settings.dimensions or int(named or DEFAULT)
    if not SMALLEST <= dimensions <= LARGEST:
        raise DimensionsRefused(f"hash has {SMALLEST} to {LARGEST:,} dimensions, not {dimensions:,}.")
    return HashEmbedder(dimensions)
