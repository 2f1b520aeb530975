"""Components for Haystack: embedders, a document store, and retrievers over it.

Needs the extra ``haystack``: ``pip install '.[haystack]'`` in the checkout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embassay import without_home
from embassay.errors import UsageError
from embassay.extras import needed
from embassay.integrations.haystack_store import EmbassayDocumentStore, Filters
from embassay.threads import in_thread
from embassay.types import Embeddings, OnLong, Role

with needed("the integration of Haystack", "haystack"):
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.document_stores.types import FilterPolicy, apply_filter_policy

__all__ = [
    "EmbassayDocumentEmbedder",
    "EmbassayDocumentStore",
    "EmbassayEmbeddingRetriever",
    "EmbassayHybridRetriever",
    "EmbassayTextEmbedder",
]


@component
class EmbassayTextEmbedder:
    """The vector of a query."""

    def __init__(self, model: str | None = None, on_long: OnLong = "truncate") -> None:
        """`model` is a name as `embassay.embed` takes it; `on_long` says what becomes of a text above its limit."""
        self.model, self.on_long = model, on_long

    def to_dict(self) -> dict[str, object]:
        """As Haystack writes pipelines down."""
        return dict(default_to_dict(self, model=self.model, on_long=self.on_long))

    @component.output_types(embedding=list[float], meta=dict[str, object])
    def run(self, text: str) -> dict[str, object]:
        """The vector, and by which model it was made."""
        if not isinstance(text, str):
            raise UsageError("the text of a query must be a string.", remedy="Embed documents by the other embedder.")
        made = _made([text], "query", self.model, self.on_long)
        return {"embedding": made.vectors[0].tolist(), "meta": _about(made)}

    @component.output_types(embedding=list[float], meta=dict[str, object])
    async def run_async(self, text: str) -> dict[str, object]:
        """`run` for asyncio."""
        return await in_thread(self.run, text)


@component
class EmbassayDocumentEmbedder:
    """Documents with their vectors."""

    def __init__(
        self,
        model: str | None = None,
        on_long: OnLong = "truncate",
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
    ) -> None:
        """The values of `meta_fields_to_embed` stand above the text, each followed by `embedding_separator`."""
        self.model, self.on_long = model, on_long
        self.meta_fields_to_embed, self.embedding_separator = meta_fields_to_embed or [], embedding_separator

    def to_dict(self) -> dict[str, object]:
        """As Haystack writes pipelines down."""
        return dict(
            default_to_dict(
                self,
                model=self.model,
                on_long=self.on_long,
                meta_fields_to_embed=self.meta_fields_to_embed,
                embedding_separator=self.embedding_separator,
            )
        )

    @component.output_types(documents=list[Document], meta=dict[str, object])
    def run(self, documents: list[Document]) -> dict[str, object]:
        """Copies of the documents with vectors; those that were handed over stay as they are."""
        if not isinstance(documents, list) or not all(isinstance(one, Document) for one in documents):
            raise UsageError("documents must be a list of documents.", remedy="Embed a query by the other embedder.")
        if not documents:
            return {"documents": [], "meta": {}}
        made = _made([self._text(one) for one in documents], "document", self.model, self.on_long)
        rows = zip(documents, made.vectors.tolist(), strict=True)
        return {"documents": [replace(one, embedding=row) for one, row in rows], "meta": _about(made)}

    @component.output_types(documents=list[Document], meta=dict[str, object])
    async def run_async(self, documents: list[Document]) -> dict[str, object]:
        """`run` for asyncio."""
        return await in_thread(self.run, documents)

    def _text(self, document: Document) -> str:
        above = [document.meta[name] for name in self.meta_fields_to_embed if document.meta.get(name) is not None]
        return self.embedding_separator.join([*map(str, above), document.content or ""])


class _Retriever:
    """What both retrievers share: a store, how many documents, and filters."""

    document_store: EmbassayDocumentStore

    def _over(
        self,
        document_store: EmbassayDocumentStore,
        filters: Filters | None,
        top_k: int,
        filter_policy: str | FilterPolicy,
    ) -> None:
        """What ``__init__`` does: Haystack makes another class of a component, in which no ``super()`` is known."""
        if not isinstance(document_store, EmbassayDocumentStore):
            raise UsageError("document_store must be an EmbassayDocumentStore.")
        self.document_store, self.filters, self.top_k = document_store, filters, top_k
        self.filter_policy = filter_policy if isinstance(filter_policy, FilterPolicy) else FilterPolicy(filter_policy)

    def _written(self, **more: object) -> dict[str, object]:
        store, policy = self.document_store.to_dict(), self.filter_policy.value
        own = {"document_store": store, "filters": self.filters, "top_k": self.top_k, "filter_policy": policy}
        return dict(default_to_dict(self, **own, **more))

    def _filters(self, given: Filters | None) -> Filters | None:
        found: Filters | None = apply_filter_policy(self.filter_policy, self.filters, given)
        return found


@component
class EmbassayEmbeddingRetriever(_Retriever):
    """The documents whose vectors are nearest to that of a query, which the model of the set has to have made."""

    def __init__(
        self,
        document_store: EmbassayDocumentStore,
        filters: Filters | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
    ) -> None:
        """`filter_policy` says what filters of a run do to those that are given here: REPLACE them, or MERGE."""
        self._over(document_store, filters, top_k, filter_policy)

    def to_dict(self) -> dict[str, object]:
        """As Haystack writes pipelines down."""
        return self._written()

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> EmbassayEmbeddingRetriever:
        """What `to_dict` wrote."""
        made: EmbassayEmbeddingRetriever = default_from_dict(cls, data)
        return made

    @component.output_types(documents=list[Document])
    def run(
        self, query_embedding: list[float], filters: Filters | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """Documents with cosines as their scores, and with where they stand."""
        k = self.top_k if top_k is None else top_k
        return {"documents": self.document_store.nearest(query_embedding, k, self._filters(filters))}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query_embedding: list[float], filters: Filters | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """`run` for asyncio."""
        return await in_thread(self.run, query_embedding, filters, top_k)


@component
class EmbassayHybridRetriever(_Retriever):
    """The documents that answer a query best, by meaning and by words: no embedder is needed before it."""

    def __init__(
        self,
        document_store: EmbassayDocumentStore,
        filters: Filters | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        options: dict[str, object] | None = None,
    ) -> None:
        """`options` are those of `EmbeddingSet.search`: ``mode``, ``pipeline``, ``where``, ``rerank`` and others."""
        self._over(document_store, filters, top_k, filter_policy)
        self.options = options or {}

    def to_dict(self) -> dict[str, object]:
        """As Haystack writes pipelines down."""
        return self._written(options=self.options)

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> EmbassayHybridRetriever:
        """What `to_dict` wrote."""
        made: EmbassayHybridRetriever = default_from_dict(cls, data)
        return made

    @component.output_types(documents=list[Document])
    def run(self, query: str, filters: Filters | None = None, top_k: int | None = None) -> dict[str, list[Document]]:
        """Documents, ordered by their scores, with where they stand."""
        k = self.top_k if top_k is None else top_k
        return {"documents": self.document_store.search(query, k, self._filters(filters), **self.options)}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: Filters | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """`run` for asyncio."""
        return await in_thread(self.run, query, filters, top_k)


def _made(texts: Sequence[str], role: Role, model: str | None, on_long: OnLong) -> Embeddings:
    return without_home.embed(texts, role, model=model, on_long=on_long)


def _about(made: Embeddings) -> dict[str, object]:
    return {"model": made.model, "space": str(made.space), "tokens": sum(made.tokens)}
