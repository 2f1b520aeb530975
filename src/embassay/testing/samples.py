"""Rows to try a store with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.space import Similarity
    from embassay.stores.base import Store
    from embassay.stores.values import Collection
    from embassay.types import Vectors

WORDS = "key rotate proxy server index vector search cache token model query document chunk space graph layer".split()


@dataclass(frozen=True, slots=True)
class Rows:
    """Chunks and, under each label of a collection, their vectors (len(chunks), dimensions).

    Vectors that are compared by cosine have length 1; others have lengths from a tenth to ten.
    """

    chunks: Sequence[Chunk]
    vectors: dict[str, Vectors]

    def part(self, start: int, end: int) -> Rows:
        """The rows from number `start` to before `end`."""
        return Rows(self.chunks[start:end], {label: rows[start:end] for label, rows in self.vectors.items()})

    def put_into(self, store: Store) -> None:
        """Upsert all rows into `store`."""
        store.upsert(self.chunks, self.vectors)


def sample_rows(collection: Collection, count: int) -> Rows:
    """`count` rows for `collection`, always the same ones."""
    vectors = {
        label: sample_chunks(count, spec.dimensions, seed)[1] * _lengths(count, spec.similarity, seed)
        for seed, (label, spec) in enumerate(collection.vectors.items())
    }
    return Rows(sample_chunks(count, 1)[0], vectors)


def _lengths(count: int, similarity: Similarity, seed: int) -> Vectors:
    """float32 (count, 1): so different where lengths count that a store which ignores them ranks otherwise."""
    import numpy as np

    if similarity == "cosine":
        return np.ones((count, 1), np.float32)
    exponents = np.random.default_rng([seed, 1]).uniform(-1, 1, (count, 1))
    return np.power(10, exponents).astype(np.float32)


def sample_chunks(count: int, dimensions: int, seed: int = 0) -> tuple[list[Chunk], Vectors]:
    """Chunks with words, paths and metadata of all kinds, and unit vectors (count, dimensions)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = []
    for i in range(count):
        body = " ".join(rng.choice(WORDS, size=int(rng.integers(3, 30)))) + f" unique{i}"
        folder = ("docs", "docs/deep", "notes", "it's")[i % 4]
        metadata: dict[str, str | int | float | bool] = {"year": 2015 + i % 8, "draft": i % 3 == 0}
        if i % 5:
            metadata["lang"] = ("de", "en", "it's", "日本")[i % 4]
        if i % 7 == 0:
            metadata["path"] = "inner"
        chunks.append(
            Chunk(
                key=f"{i:032x}",
                document=f"{folder}/a{i % 12}.md",
                path=f"{folder}/a{i % 12}.md",
                section='Top > Sub "quoted"' if i % 2 else "",
                indexed=f"Context\n{body}",
                body_at=8,
                lines=(i, i + 2),
                span=(10 * i, 10 * i + len(body)),
                tokens=len(body.split()),
                truncated=i % 11 == 0,
                metadata=metadata,
            )
        )
    return chunks, vectors
