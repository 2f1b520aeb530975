"""Components for LangChain: embeddings, a vector store and a retriever.

Needs the extra ``langchain``: ``pip install '.[langchain]'`` in the checkout.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from embassay import without_home
from embassay.embedding_set import EmbeddingSet
from embassay.errors import UsageError
from embassay.extras import needed
from embassay.integrations.base import (
    Embeds,
    Located,
    MadeVectors,
    Searchable,
    awaited,
    by_vector,
    joined,
    parts_of,
    passages,
)
from embassay.integrations.mongo import filter_of
from embassay.stores.filters.values import Filter, Glob
from embassay.threads import in_thread
from embassay.types import Metadata, OnLong, Record, Role

with needed("the integration of LangChain", "langchain"):
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.vectorstores import VectorStore
    from pydantic import ConfigDict, Field, SkipValidation

MOST_DIVERSE = 1_000
"""Candidates that are held against each other, at most."""
EVERYTHING = Glob("path", "**")


class EmbassayEmbeddings(Embeddings):
    """Vectors by a model of embassay: texts that are searched as documents, and queries as queries."""

    def __init__(self, model: str | None = None, *, source: Embeds | None = None, on_long: OnLong = "truncate") -> None:
        """`model` is a name as `embassay.embed` takes it. `source`, instead of it: a set, so that vectors are of its
        space, or a model of a registry. `on_long` says what becomes of a text above the model's limit."""
        if model is not None and source is not None:
            raise UsageError("a model and a source were named.", remedy="Name one of them.")
        self.model, self.source, self.on_long = model, source, on_long

    def _made(self, texts: Sequence[str], role: Role) -> MadeVectors:
        if self.source is not None:
            return self.source.embed(texts, role, on_long=self.on_long)
        return without_home.embed(texts, role, model=self.model, on_long=self.on_long)

    async def _amade(self, texts: Sequence[str], role: Role) -> MadeVectors:
        if self.source is not None:
            made: MadeVectors = await awaited(self.source, "embed", texts, role, on_long=self.on_long)
            return made
        return await in_thread(self._made, texts, role)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of texts that are searched."""
        return _rows(self._made(texts, "document"))

    def embed_query(self, text: str) -> list[float]:
        """The vector of what they are searched for."""
        return _rows(self._made([text], "query"))[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed_documents` for asyncio."""
        return _rows(await self._amade(texts, "document"))

    async def aembed_query(self, text: str) -> list[float]:
        """`embed_query` for asyncio."""
        return _rows(await self._amade([text], "query"))[0]


class EmbassayVectorStore(VectorStore):
    """A set as a vector store. What is added becomes records, which the model of the set embeds."""

    def __init__(self, source: Searchable, *, places: bool = False, **options: object) -> None:
        """`options` are those of `EmbeddingSet.search`, for every search: ``mode``, ``where``, ``rerank``, ``pipeline``
        and the others. With `places` the metadata of what is found says where it stands, too: its source, lines and
        section."""
        self.source, self.places, self.options = source, places, options

    @property
    def embeddings(self) -> EmbassayEmbeddings:
        """The model of the set."""
        return EmbassayEmbeddings(source=self.source)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[str, object]] | None = None,
        *,
        ids: list[str] | None = None,
        source: Searchable | None = None,
        places: bool = False,
        **options: object,
    ) -> EmbassayVectorStore:
        """A store over the set `source` with these texts added. The set embeds by its own model: an `embedding` is
        taken only where it is that of the set, or names the model of a set that is new."""
        if source is None:
            raise UsageError("from_texts has no set to add to.", remedy='Hand it over: source=home.set("faq").')
        made = cls(source, places=places, **options)
        made.add_texts(texts, metadatas, ids=ids, **_making(source, embedding))
        return made

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, object]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **making: object,
    ) -> list[str]:
        """Add texts, or replace those of the same ids; their ids. The first call makes the set, with the options of
        `EmbeddingSet.upsert`. Raises UsageError, ModelError, StoreError."""
        records = _records(texts, metadatas, ids)
        for some in parts_of(self.source, records):
            self.source.upsert(some, **making)
        return [record.id for record in records]

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, object]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **making: object,
    ) -> list[str]:
        """`add_texts` for asyncio."""
        records = _records(texts, metadatas, ids)
        for some in parts_of(self.source, records):
            await awaited(self.source, "upsert", some, **making)
        return [record.id for record in records]

    def delete(self, ids: list[str] | None = None, **kwargs: object) -> bool | None:
        """Remove the documents of these ids, those that pass a ``filter``, or all of them where neither is given."""
        self.source.delete(**_choice(ids, kwargs))
        return True

    async def adelete(self, ids: list[str] | None = None, **kwargs: object) -> bool | None:
        """`delete` for asyncio."""
        await awaited(self.source, "delete", **_choice(ids, kwargs))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Documents as they were added; unknown ids are left out."""
        return [_document(record) for record in self.source.get(ids)]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """`get_by_ids` for asyncio."""
        return [_document(record) for record in await awaited(self.source, "get", ids)]

    def similarity_search(self, query: str, k: int = 4, **options: object) -> list[Document]:
        """The k passages that answer `query` best. ``filter`` is a filter in words, or a mapping of metadata; the other
        options are those of `EmbeddingSet.search`."""
        return [self._shown(one) for one in passages(self.source.search(query, k, **self._asked(options)))]

    async def asimilarity_search(self, query: str, k: int = 4, **options: object) -> list[Document]:
        """`similarity_search` for asyncio."""
        found = await awaited(self.source, "search", query, k, **self._asked(options))
        return [self._shown(one) for one in passages(found)]

    def similarity_search_with_score(self, query: str, k: int = 4, **options: object) -> list[tuple[Document, float]]:
        """The same, each with its score, of which a greater one is better. With ``mode="dense"`` it is the cosine; else
        it only orders what this search found."""
        found = self.source.search(query, k, **self._asked(options))
        return [(self._shown(one), one.score) for one in passages(found)]

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **options: object
    ) -> list[tuple[Document, float]]:
        """`similarity_search_with_score` for asyncio."""
        found = await awaited(self.source, "search", query, k, **self._asked(options))
        return [(self._shown(one), one.score) for one in passages(found)]

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **options: object
    ) -> list[tuple[Document, float]]:
        """By vectors alone: only a cosine says how near a text is, whatever else was found."""
        found = self.source.search(query, k, **self._asked(options | {"mode": "dense", "pipeline": None}))
        return [(self._shown(one), _relevance(one)) for one in passages(found)]

    async def _asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **options: object
    ) -> list[tuple[Document, float]]:
        asked = self._asked(options | {"mode": "dense", "pipeline": None})
        found = await awaited(self.source, "search", query, k, **asked)
        return [(self._shown(one), _relevance(one)) for one in passages(found)]

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **options: object) -> list[Document]:
        """The k passages whose vectors are nearest to one that the model of the set made of a query."""
        where = joined(self.options.get("where"), filter_of(options.get("filter")))
        found = by_vector(self.source, embedding, f"dense({k}) >> top({k})", where)
        return [self._shown(one) for one in passages(found)]

    async def asimilarity_search_by_vector(
        self, embedding: list[float], k: int = 4, **options: object
    ) -> list[Document]:
        """`similarity_search_by_vector` for asyncio."""
        return await in_thread(self.similarity_search_by_vector, embedding, k, **options)

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: object
    ) -> list[Document]:
        """The k passages, of the `fetch_k` nearest, that answer `query` best and repeat each other least."""
        return self.similarity_search(query, k, **options | {"pipeline": _diverse(k, fetch_k, lambda_mult)})

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: object
    ) -> list[Document]:
        """`max_marginal_relevance_search` for asyncio."""
        return await self.asimilarity_search(query, k, **options | {"pipeline": _diverse(k, fetch_k, lambda_mult)})

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: object
    ) -> list[Document]:
        """The same for a vector that the model of the set made of a query."""
        where = joined(self.options.get("where"), filter_of(options.get("filter")))
        found = by_vector(self.source, embedding, _diverse(k, fetch_k, lambda_mult), where)
        return [self._shown(one) for one in passages(found)]

    def _asked(self, options: Mapping[str, object]) -> dict[str, object]:
        """The options of a search: those of the store, and over them those of the call."""
        own = {name: value for name, value in options.items() if name not in ("filter", "where")}
        where = joined(self.options.get("where"), options.get("where"), filter_of(options.get("filter")))
        return {**self.options, **own, "where": where}

    def _shown(self, passage: Located) -> Document:
        return _found(passage, passage.place if self.places else {})


class EmbassayRetriever(BaseRetriever):
    """Searches a set; what it gives says where it stands and how it was ranked."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    source: SkipValidation[Searchable]
    """The set: an `EmbeddingSet`, or whatever else has its verbs."""
    k: int = 4
    """How many passages."""
    filter: object = None
    """A filter in words, or a mapping of metadata."""
    options: dict[str, object] = Field(default_factory=dict)
    """Those of `EmbeddingSet.search`: ``mode``, ``pipeline``, ``rerank``, ``group_by``, ``parent``, ``expand``, ..."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: object
    ) -> list[Document]:
        k, asked = self._asked(options)
        return [_ranked(one) for one in passages(self.source.search(query, k, **asked))]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: object
    ) -> list[Document]:
        k, asked = self._asked(options)
        return [_ranked(one) for one in passages(await awaited(self.source, "search", query, k, **asked))]

    def _asked(self, options: Mapping[str, object]) -> tuple[object, dict[str, object]]:
        given = {**self.options, **options}
        where = joined(given.pop("where", None), filter_of(self.filter), filter_of(given.pop("filter", None)))
        return given.pop("k", self.k), {**given, "where": where}


def _rows(made: MadeVectors) -> list[list[float]]:
    rows: list[list[float]] = made.vectors.tolist()
    return rows


def _records(
    texts: Iterable[str], metadatas: Sequence[Mapping[str, object]] | None, ids: Sequence[str | None] | None
) -> list[Record]:
    """Records of texts, each with an id. Raises UsageError where there are not as many of all."""
    given = [*texts]
    for name, others in (("metadatas", metadatas), ("ids", ids)):
        if others is not None and len(others) != len(given):
            raise UsageError(f"there are {len(given)} texts and {len(others)} {name}; there must be one for each.")
    named = [(ids[at] if ids else None) or str(uuid.uuid4()) for at in range(len(given))]
    metadata = [dict(one or {}) for one in metadatas] if metadatas else [{} for _ in given]
    return [
        Record(name, text, metadata=cast("Metadata", about))  # held against what metadata may be when it is written
        for name, text, about in zip(named, given, metadata, strict=True)
    ]


def _choice(ids: Sequence[str] | None, options: Mapping[str, object]) -> dict[str, object]:
    """Which documents are to be removed. Raises UsageError for two choices at once."""
    where: Filter | None = filter_of(options.get("filter"))
    if ids is not None and where is not None:
        raise UsageError("ids and a filter were given.", remedy="Give one of them.")
    return {"ids": ids} if ids is not None else {"where": where or EVERYTHING}


def _making(source: Searchable, embedding: Embeddings | None) -> dict[str, object]:
    """With which model a set is made. Raises UsageError for one that embassay does not run, or that is for a server to
    choose."""
    if embedding is None:
        return {}
    if not isinstance(embedding, EmbassayEmbeddings):
        raise UsageError(
            f"a set embeds by its own model, and {type(embedding).__name__} is none of embassay's.",
            remedy='Hand over EmbassayEmbeddings("MODEL"), or none.',
        )
    if embedding.model is None or embedding.source is source:
        return {}
    if not isinstance(source, EmbeddingSet):
        raise UsageError("a set of a server is made before it is written to.", remedy="Make it by Client.create_set.")
    return {"model": embedding.model}


def _diverse(k: int, fetch_k: int, weight: float) -> str:
    depth = max(k, fetch_k)
    return f"dense({depth}) >> mmr({weight:g}, {min(depth, MOST_DIVERSE)}) >> top({k})"


def _document(record: Record) -> Document:
    return Document(id=record.id, page_content=record.text, metadata=dict(record.metadata))


def _found(passage: Located, more: Mapping[str, object]) -> Document:
    return Document(id=passage.document, page_content=passage.text, metadata={**passage.metadata, **more})


def _ranked(passage: Located) -> Document:
    return _found(passage, {**passage.place, "score": passage.score})


def _relevance(passage: Located) -> float:
    """A cosine as LangChain wants it: 0 is not alike at all, 1 is the same."""
    return min(1.0, max(0.0, passage.similarity or 0.0))
