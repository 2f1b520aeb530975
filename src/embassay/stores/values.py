"""The values of the contract: what a collection consists of, what a backend can keep, and what a search finds.

A collection is a table of chunks. Each row has one vector, or several under different labels: a coarse one to search
fast, a precise one to rank again.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from embassay.errors import StoreError
from embassay.space import Similarity
from embassay.stores.dtypes import FLOAT32
from embassay.text import did_you_mean
from embassay.words.analyser import Analyser, analyser
from embassay.words.languages import DEFAULT

if TYPE_CHECKING:
    from embassay.types import Vectors

VECTOR = "vector"
"""Label of the vector that a row has when nothing else is said."""
BM25_K1, BM25_B = 1.2, 0.75
"""Of BM25 in every store, so that an evaluation in one says what a search in another finds. Lance's are fixed."""
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,47}")
"""What names of collections and labels look like, so that every backend can name its tables and columns by them."""


@dataclass(frozen=True, slots=True)
class VectorSpec:
    """The vectors of one label. They are compared by dot product, which is the cosine of rows of length 1."""

    dimensions: int
    dtype: str = FLOAT32
    """How a number is kept, see `embassay.stores.dtypes`. What is read back is float32."""
    many: bool = False
    """Whether a row has any number of these vectors, one for each token, instead of exactly one."""
    similarity: Similarity = "cosine"
    """``cosine``: all rows have length 1, or are zero; ``dot``: they have any length, and it counts."""


@dataclass(frozen=True, slots=True)
class WeightedTexts:
    """What is looked for by words where some count more than others: texts, each with its weight.

    They are texts and no terms, so that several collections, each with an analyser of its own, can be asked the same.
    """

    weights: Mapping[str, float]
    """Above 0."""
    cut: bool = True
    """Whether they are cut into terms; False: each of them is a term, as `Snapshot.vocabulary` has it."""
    title: float = 1.0
    """How often a word of a row counts where it stands in its `section`: the title and the headings that its text
    begins with, or has in the lines above. 0 at least. It is counted so wherever BM25 counts words: how often a term
    stands in a row, how long the row is, and how long rows are in the mean; in how many rows a term stands remains as
    it is (Robertson, Zaragoza and Taylor, "Simple BM25 Extension to Multiple Weighted Fields", CIKM 2004). For a whole
    number that is BM25 of rows in which the section stands so many times."""


def title_weight(query: str | WeightedTexts) -> float:
    """How often words of titles count for `query`."""
    return 1.0 if isinstance(query, str) else query.title


@dataclass(frozen=True, slots=True)
class Collection:
    """What a store keeps under one name.

    Raises StoreError for a name or a label that is no plain identifier, and UsageError for an unknown language.
    """

    name: str
    vectors: Mapping[str, VectorSpec]
    """By label."""
    language: str = DEFAULT
    """Code of the language that its texts are cut into words by, see `embassay.words.languages`."""

    def __post_init__(self) -> None:
        for name in (self.name, *self.vectors):
            if not IDENTIFIER.fullmatch(name):
                raise StoreError(f"{name!r} cannot name a collection or its vectors: lower-case letters, digits and _.")
        if not self.vectors:
            raise StoreError(f"the collection {self.name!r} has no vectors.")
        analyser(self.language)

    @property
    def analyser(self) -> Analyser:
        """What cuts its texts, and queries for them, into the terms of lexical search."""
        return analyser(self.language)

    @classmethod
    def single(
        cls,
        name: str,
        dimensions: int,
        language: str = DEFAULT,
        similarity: Similarity = "cosine",
        dtype: str = FLOAT32,
    ) -> Collection:
        """A collection whose rows have one vector each, under the default label."""
        return cls(name, {VECTOR: VectorSpec(dimensions, dtype, similarity=similarity)}, language)

    def asked(self, query: str | WeightedTexts) -> dict[str, float]:
        """The terms that `query` asks for, and how much each counts: 1 in a plain text."""
        if isinstance(query, str):
            return dict.fromkeys(self.analyser.query(query), 1.0)
        if not query.cut:
            return dict(query.weights)
        asked: dict[str, float] = {}
        for text, weight in query.weights.items():
            for term in self.analyser.query(text):
                asked[term] = asked.get(term, 0.0) + weight
        return asked

    def spec(self, label: str) -> VectorSpec:
        """The vectors under `label`. Raises StoreError where there are none."""
        if label not in self.vectors:
            raise StoreError(
                f"the collection has no vectors that are called {label!r}.", remedy=did_you_mean(label, self.vectors)
            )
        return self.vectors[label]

    def check_rows(self, rows: int, vectors: Mapping[str, Vectors]) -> None:
        """Raises StoreError unless `vectors` has every label, each with an array (rows, dimensions)."""
        if set(vectors) != set(self.vectors):
            raise StoreError(
                f"rows of this collection need the vectors {', '.join(sorted(self.vectors))}; "
                f"given were {', '.join(sorted(vectors)) or 'none'}."
            )
        for label, spec in self.vectors.items():
            if vectors[label].shape != (rows, spec.dimensions):
                raise StoreError(
                    f"the vectors {label!r} of {rows} rows must have the shape {(rows, spec.dimensions)}; "
                    f"theirs is {vectors[label].shape}."
                )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can keep and search. Whatever it declares, the conformance suite holds it to."""

    dtypes: frozenset[str] = frozenset({FLOAT32})
    """Of `embassay.stores.dtypes`."""
    labels: bool = True
    """Whether a row can have several vectors under different labels."""
    many: bool = False
    """Whether a row can have many vectors under one label."""
    persistent: bool = True
    """Whether rows outlive the process that wrote them."""
    similarities: frozenset[Similarity] = frozenset({"cosine"})
    """How it can compare vectors: ``dot`` where rows of any length are ranked by their dot product, exactly."""

    def check(self, backend: str, collection: Collection) -> None:
        """Raises StoreError, which says what `backend` can do, where `collection` asks for more."""
        if len(collection.vectors) > 1 and not self.labels:
            raise StoreError(f"the store {backend} keeps one vector a row, not {len(collection.vectors)}.")
        for label, spec in collection.vectors.items():
            if spec.dtype not in self.dtypes:
                able = ", ".join(sorted(self.dtypes))
                raise StoreError(f"the store {backend} keeps vectors as {able}, not as {spec.dtype} ({label!r}).")
            if spec.dtype == "int8" and spec.similarity != "cosine":
                raise StoreError(
                    f"vectors that are compared by {spec.similarity} have lengths, and int8 keeps none ({label!r}).",
                    remedy="Keep them as float16.",
                )
            if spec.many and not self.many:
                raise StoreError(f"the store {backend} keeps one vector a row under a label, not many ({label!r}).")
            if spec.similarity not in self.similarities:
                able = ", ".join(sorted(self.similarities))
                raise StoreError(
                    f"the store {backend} compares vectors by {able}, not by {spec.similarity} ({label!r}).",
                    remedy="Choose another store, or a model whose vectors are compared by cosine.",
                )


@dataclass(frozen=True, slots=True)
class KeptCollection:
    """A collection on disk, as whoever looks for what nobody needs sees it."""

    bytes: int
    written: float
    """Seconds since 1970: when anything of it was last written."""


class Scored(msgspec.Struct, frozen=True, gc=False):
    """A row that was found. `ref` is the backend's own name of it, good within the snapshot that returned it.

    A search makes hundreds of them: those of a frozen dataclass take six times as long, and wake the collector.
    """

    ref: Hashable
    score: float


@dataclass(frozen=True, slots=True)
class Stats:
    """The size of one version."""

    rows: int
    bytes: int
    """On disk; in memory for a store that has no disk."""
    unindexed: dict[str, int]
    """Rows that each index does not cover yet."""
