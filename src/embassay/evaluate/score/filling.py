"""The documents of a judged set, put into a store so that pipelines can rank them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay.errors import StoreError
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.embedding import embed_all, zeros
from embassay.ingest.chunk import Chunker
from embassay.stores.base import Store
from embassay.stores.values import VECTOR
from embassay.types import NO_USAGE, Chunk, Document, Usage

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Vectors


@dataclass(frozen=True, slots=True)
class Filled:
    """The documents of a judged set in a store, ready for any number of pipelines."""

    judged: JudgedSet
    embedder: Embedder
    store: Store
    queries: Vectors
    """float32 (queries, dimensions), in the order of `judged.queries`; zero where no pipeline needs them."""
    truncated: float
    """Share of what was embedded that the model saw only the head of."""
    usage: Usage
    seconds: float


def fill(
    judged: JudgedSet,
    embedder: Embedder,
    store: Store,
    *,
    vectors: bool = True,
    chunks: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Filled:
    """Embed documents and queries, and put the documents into `store`, which is empty.

    Documents are embedded whole, ``(title + " " + text).strip()`` cut at the token limit, as published numbers are
    made; with `chunks` they are cut as for indexing. Without `vectors` nothing is embedded, for pipelines that need
    no model. `advance` is told of texts embedded. Raises ModelError, ProviderError, and StoreError, before anything is
    embedded, for a store that was made for vectors which are compared in another way.
    """
    started = time.perf_counter()
    if vectors:
        _check_similarity(store, embedder)
    pieces = _chunked(judged, embedder) if chunks else [_whole(document) for document in judged.documents]
    pieces = [piece for piece in pieces if piece.indexed.strip()]  # a zero vector would stand before unlike ones
    texts = [piece.indexed for piece in pieces]
    queries = list(judged.queries.values())
    if vectors:
        made, truncated, usage = embed_all(embedder, texts, "document", advance)
        asked, _, used = embed_all(embedder, queries, "query", advance)
    else:
        made, asked = (zeros(len(rows), embedder) for rows in (texts, queries))
        truncated, usage, used = 0.0, NO_USAGE, NO_USAGE
    store.upsert(pieces, {VECTOR: made})
    store.optimise(thorough=True)
    seconds = time.perf_counter() - started
    return Filled(judged, embedder, store, asked, truncated, usage + used, seconds)


def asked_anew(
    filled: Filled, judged: JudgedSet, *, vectors: bool = True, advance: Callable[[int], None] = lambda _: None
) -> Filled:
    """The same store for the queries of `judged`, which has the same documents. Raises ModelError, ProviderError."""
    texts = list(judged.queries.values())
    made = embed_all(filled.embedder, texts, "query", advance)[0] if vectors else zeros(len(texts), filled.embedder)
    return replace(filled, judged=judged, queries=made)


def _check_similarity(store: Store, embedder: Embedder) -> None:
    kept, made = store.collection.spec(VECTOR).similarity, embedder.space.similarity
    if kept != made:
        raise StoreError(f"the store compares vectors by {kept}, and those of {embedder.name} are compared by {made}.")


def _whole(document: Document) -> Chunk:
    text = f"{document.title} {document.text}".strip()
    return Chunk(document.id, document.id, document.path, document.title, text, 0, (1, 1), (0, len(text)), 0)


def _chunked(judged: JudgedSet, embedder: Embedder) -> list[Chunk]:
    chunker = Chunker(embedder.tokens, prompt=embedder.space.document_prompt)
    return [chunk for chunks in chunker.chunk(judged.documents) for chunk in chunks]
