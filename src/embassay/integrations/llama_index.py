"""Components for LlamaIndex: embeddings, a vector store and a retriever.

Needs the extra ``llama-index``: ``pip install '.[llama-index]'`` in the checkout.

A node becomes a record: its text as LlamaIndex embeds it, its metadata as they are, and what else it has under one key,
`OWN`, so that it comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from embassay import jsontext, without_home
from embassay.errors import UsageError
from embassay.extras import needed
from embassay.integrations.base import (
    Embeds,
    FoundHits,
    Located,
    MadeVectors,
    Searchable,
    awaited,
    by_vector,
    got,
    joined,
    parts_of,
    passages,
)
from embassay.integrations.llama_filters import filter_of
from embassay.stores.filters.values import Compare, Filter, Glob, In
from embassay.threads import in_thread
from embassay.types import Metadata, OnLong, Record, Role

with needed("the integration of LlamaIndex", "llama-index"):
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )
    from llama_index.core.vector_stores.utils import metadata_dict_to_node

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet

OWN = "llama_index"
"""The field of the metadata that has what a node is besides its text and its metadata."""
LONGEST = 10_000
"""Characters of what one text of the metadata holds."""
EVERYTHING = Glob("path", "**")
WORDS = (VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.TEXT_SEARCH)
BOTH = (VectorStoreQueryMode.HYBRID, VectorStoreQueryMode.SEMANTIC_HYBRID)


class EmbassayEmbedding(BaseEmbedding):
    """Vectors by a model of embassay: texts that are searched as documents, and queries as queries."""

    _source: Embeds | None = PrivateAttr(default=None)
    _model: str | None = PrivateAttr(default=None)
    _on_long: OnLong = PrivateAttr(default="truncate")

    def __init__(self, model: str | None = None, *, source: Embeds | None = None, on_long: OnLong = "truncate") -> None:
        """`model` is a name as `embassay.embed` takes it. `source`, instead of it: a set, so that vectors are of its
        space, or a model of a registry. `on_long` says what becomes of a text above the model's limit."""
        if model is not None and source is not None:
            raise UsageError("a model and a source were named.", remedy="Name one of them.")
        super().__init__(model_name=model or getattr(source, "name", "") or "embassay")
        self._source, self._model, self._on_long = source, model, on_long

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex calls it."""
        return "EmbassayEmbedding"

    def _made(self, texts: Sequence[str], role: Role) -> list[list[float]]:
        if self._source is not None:
            return _rows(self._source.embed(texts, role, on_long=self._on_long))
        return _rows(without_home.embed(texts, role, model=self._model, on_long=self._on_long))

    async def _amade(self, texts: Sequence[str], role: Role) -> list[list[float]]:
        if self._source is not None:
            return _rows(await awaited(self._source, "embed", texts, role, on_long=self._on_long))
        return await in_thread(self._made, texts, role)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._made([query], "query")[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._amade([query], "query"))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._made([text], "document")[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._amade([text], "document"))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._made(texts, "document")

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._amade(texts, "document")


class EmbassayNodeStore(BasePydanticVectorStore):
    """A set as a vector store. It keeps the texts of nodes as well, and embeds queries itself."""

    stores_text: bool = True
    is_embedding_query: bool = False
    take_vectors: bool = False
    """Whether vectors that nodes bring are taken, where the model of the set made them, instead of made anew."""

    _source: Searchable = PrivateAttr()
    _options: dict[str, object] = PrivateAttr()

    def __init__(self, source: Searchable, *, take_vectors: bool = False, **options: object) -> None:
        """`options` are those of `EmbeddingSet.search`, for every query: ``mode``, ``where``, ``rerank`` and others."""
        super().__init__(stores_text=True, is_embedding_query=False, take_vectors=take_vectors)  # type: ignore[call-arg]
        self._source, self._options = source, options

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex calls it."""
        return "EmbassayNodeStore"

    @property
    def client(self) -> Searchable:
        """The set."""
        return self._source

    @property
    def embed_model(self) -> EmbassayEmbedding:
        """The model of the set, for an index over this store."""
        return EmbassayEmbedding(source=self._source)

    def add(self, nodes: Sequence[BaseNode], **making: object) -> list[str]:
        """Add nodes, or replace those of the same ids; their ids."""
        for records in self._records(nodes):
            self._source.upsert(records, **making)
        return [node.node_id for node in nodes]

    async def async_add(self, nodes: Sequence[BaseNode], **making: object) -> list[str]:
        """`add` for asyncio."""
        for records in self._records(nodes):
            await awaited(self._source, "upsert", records, **making)
        return [node.node_id for node in nodes]

    def _records(self, nodes: Sequence[BaseNode]) -> Iterable[Sequence[Record]]:
        """The records of nodes, as many as one call takes: one has vectors for all or for none."""
        records = [_record(node, with_vector=self.take_vectors) for node in nodes]
        apart = ([one for one in records if (one.vector is None) is none] for none in (True, False))
        return [part for some in apart for part in parts_of(self._source, some)]

    def delete(self, ref_doc_id: str, **_: object) -> None:
        """Remove the nodes that were made of one document."""
        self._source.delete(where=Compare(f"{OWN}.ref_doc_id", "=", ref_doc_id))

    async def adelete(self, ref_doc_id: str, **_: object) -> None:
        """`delete` for asyncio."""
        await awaited(self._source, "delete", where=Compare(f"{OWN}.ref_doc_id", "=", ref_doc_id))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **_: object
    ) -> None:
        """Remove nodes, by their ids, by filters, or by both."""
        if node_ids is not None and filters is None:
            self._source.delete(ids=node_ids)
        elif filters is not None:
            self._source.delete(where=_chosen(node_ids, filters) or EVERYTHING)

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **_: object
    ) -> None:
        """`delete_nodes` for asyncio."""
        await in_thread(self.delete_nodes, node_ids, filters)

    def clear(self) -> None:
        """Remove all nodes."""
        self._source.delete(where=EVERYTHING)

    async def aclear(self) -> None:
        """`clear` for asyncio."""
        await in_thread(self.clear)

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes as they were added: those of these ids, of those that pass; all where neither is given."""
        if filters is None and node_ids is not None:
            return [_node(one) for one in got(self._source, node_ids)]
        listed = cast("EmbeddingSet", self._source).list(where=_chosen(node_ids, filters))
        return [_node(one) for one in got(self._source, [one.id for one in listed])]

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """`get_nodes` for asyncio."""
        return await in_thread(self.get_nodes, node_ids, filters)

    def query(self, query: VectorStoreQuery, **options: object) -> VectorStoreQueryResult:
        """What answers a query best. Modes: ``default`` is that of the store, which is hybrid unless it was told;
        ``hybrid`` with `alpha` weighs vectors by it; ``sparse`` and ``text_search`` look for words; ``mmr`` repeats
        little. Raises UsageError for the others, and FilterError."""
        where = joined(self._options.get("where"), _narrowed(query))
        if not query.query_str:
            if query.query_embedding is None:
                raise UsageError("the query has neither a text nor a vector.")
            k = query.similarity_top_k
            return _result(by_vector(self._source, query.query_embedding, f"dense({k}) >> top({k})", where))
        k, asked = _asked(query, {**self._options, **options}, where)
        return _result(self._source.search(query.query_str, k, **asked))

    async def aquery(self, query: VectorStoreQuery, **options: object) -> VectorStoreQueryResult:
        """`query` for asyncio."""
        if not query.query_str:
            return await in_thread(self.query, query)
        where = joined(self._options.get("where"), _narrowed(query))
        k, asked = _asked(query, {**self._options, **options}, where)
        return _result(await awaited(self._source, "search", query.query_str, k, **asked))


class EmbassayNodeRetriever(BaseRetriever):
    """Searches a set, of files as well as of nodes; the metadata says where each passage stands."""

    def __init__(
        self, source: Searchable, *, k: int = 4, filters: MetadataFilters | None = None, **options: object
    ) -> None:
        """`options` are those of `EmbeddingSet.search`: ``mode``, ``pipeline``, ``where``, ``rerank`` and others."""
        super().__init__()
        where = joined(options.pop("where", None), filter_of(filters))
        self._source, self._k, self._options = source, k, {**options, "where": where}

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _ranked(self._source.search(query_bundle.query_str, self._k, **self._options))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _ranked(await awaited(self._source, "search", query_bundle.query_str, self._k, **self._options))


def _rows(made: MadeVectors) -> list[list[float]]:
    rows: list[list[float]] = made.vectors.tolist()
    return rows


def _record(node: BaseNode, *, with_vector: bool) -> Record:
    """A node as a record. Its text is what LlamaIndex embeds: metadata above the content, as the node has it."""
    if OWN in node.metadata:
        raise UsageError(
            f"the metadata of node {node.node_id!r} have the field {OWN!r}, which is kept for the node itself."
        )
    content, text = node.get_content(MetadataMode.NONE), node.get_content(MetadataMode.EMBED)
    at = text.rfind(content)
    if at < 0 or at + len(content) < len(text):  # a template of its own that says more behind the content
        text, at = content, 0
    plain = node.model_dump(mode="json", exclude={"metadata", "text", "text_resource", "embedding"})
    said = jsontext.dumps(plain)
    if len(said) > LONGEST:  # related nodes bring the metadata of theirs along
        plain["relationships"] = {
            kind: one | {"metadata": {}} if isinstance(one, dict) else one
            for kind, one in plain.get("relationships", {}).items()
        }
        said = jsontext.dumps(plain)
    own = {"type": node.class_name(), "ref_doc_id": node.ref_doc_id or "", "at": at, "node": said}
    metadata = cast("Metadata", {**node.metadata, OWN: own})  # held against what metadata may be when it is written
    return Record(node.node_id, text, metadata=metadata, vector=node.embedding if with_vector else None)


def _node(record: Record) -> BaseNode:
    """A record as the node that it was made of, or a plain one."""
    return _restored(record.id, record.text, record.metadata, 0)


def _restored(name: str, text: str, metadata: Metadata, start: int) -> BaseNode:
    """`text` begins at the character `start` of the record."""
    plain = TextNode(id_=name, text=text, metadata=dict(metadata))
    own = metadata.get(OWN)
    if not isinstance(own, Mapping):
        return plain
    at = own.get("at")
    kept = {"_node_content": own.get("node"), "_node_type": own.get("type")}
    try:
        node = metadata_dict_to_node(kept, text[max(0, at - start) :] if isinstance(at, int) else text)
    except (ValueError, TypeError, KeyError):  # something else has written a field of this name
        return plain
    node.metadata = {key: value for key, value in metadata.items() if key != OWN}
    return node


def _chosen(node_ids: Sequence[str] | None, filters: MetadataFilters | None) -> Filter | None:
    return joined(In("document", tuple(node_ids)) if node_ids is not None else None, filter_of(filters))


def _narrowed(query: VectorStoreQuery) -> Filter | None:
    """What a query is narrowed to: its filters, nodes and documents."""
    documents = In(f"{OWN}.ref_doc_id", tuple(query.doc_ids)) if query.doc_ids else None
    return joined(_chosen(query.node_ids or None, query.filters), documents)


def _asked(
    query: VectorStoreQuery, options: Mapping[str, object], where: Filter | None
) -> tuple[int, dict[str, object]]:
    """How many hits, and the options of a search that does what the mode of a query means."""
    mode, k, asked = query.mode, query.similarity_top_k, {**options, "where": where}
    if mode in BOTH:
        k = query.hybrid_top_k or k
        depth = max(100, query.sparse_top_k or 0, k)
        if query.alpha is not None:
            asked["pipeline"] = f"dense({depth}) | lexical({depth}) >> convex({query.alpha:g}) >> top({k})"
        return k, asked | {"mode": "hybrid"}
    if mode in WORDS:
        k = query.sparse_top_k or k if mode is VectorStoreQueryMode.SPARSE else k
        return k, asked | {"mode": "lexical", "pipeline": None}
    if mode is VectorStoreQueryMode.MMR:
        weight = options.get("mmr_threshold", query.mmr_threshold)
        asked.pop("mmr_threshold", None)
        weight = 0.5 if weight is None else weight
        return k, asked | {"pipeline": f"dense({max(20, 4 * k)}) >> mmr({weight}) >> top({k})"}
    if mode is not VectorStoreQueryMode.DEFAULT:
        raise UsageError(f"a set is not searched by the mode {mode.value!r}.", remedy="Take default, hybrid or mmr.")
    return k, asked


def _result(found: FoundHits) -> VectorStoreQueryResult:
    located = [*passages(found)]
    nodes = [_restored(one.document, one.text, one.metadata, one.start) for one in located]
    return VectorStoreQueryResult(nodes, [one.score for one in located], [node.node_id for node in nodes])


def _ranked(found: FoundHits) -> list[NodeWithScore]:
    return [NodeWithScore(node=_placed(one), score=one.score) for one in passages(found)]


def _placed(one: Located) -> BaseNode:
    node = _restored(one.document, one.text, one.metadata, one.start)
    node.metadata = {**node.metadata, **one.place}
    return node
