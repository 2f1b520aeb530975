"""The components for LlamaIndex, held against LlamaIndex itself: its index, its splitter, its retrievers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import AutoMergingRetriever
from llama_index.core.schema import ImageNode, IndexNode, MetadataMode, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.simple import SimpleVectorStore
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from embassay.errors import FilterError, SetNotFound, SpaceMismatch, UsageError
from embassay.integrations.llama_index import EmbassayEmbedding, EmbassayNodeRetriever, EmbassayNodeStore
from tests.integrations.conftest import MODEL
from tests.tiny import CASES, write_model

pytestmark = [pytest.mark.asyncio, pytest.mark.filterwarnings("ignore:.*it is not an async function")]

NODES = [
    TextNode(id_="1", text="Rotate a key", metadata={"lang": "en", "year": 2023, "path": "a"}),
    TextNode(id_="2", text="Set a proxy", metadata={"lang": "en", "year": 2024, "note": "a proxy server"}),
    TextNode(id_="3", text="Rotate a signing key of the vault", metadata={"lang": "de", "year": 2024, "tags": ["keys", "vault"]}),
    TextNode(id_="4", text="Ask Maria", metadata={}),
]  # fmt: skip


@pytest.fixture
def store(empty):
    made = EmbassayNodeStore(empty)
    assert made.add(NODES) == ["1", "2", "3", "4"]
    return made


def ids(result):
    return sorted(result.ids)


def test_nodes_come_back_as_they_were(store, empty):
    related = RelatedNodeInfo(node_id="doc", metadata={"long": "x" * 9_000})
    others = [
        TextNode(id_="5", text="  white space \n", relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc")}, start_char_idx=4, end_char_idx=9),
        IndexNode(id_="6", text="index", index_id="other", metadata={"b": True, "n": None, "f": 0.5}),
        TextNode(id_="7", text="kept", metadata={"secret": "x", "shown": "y"}, excluded_embed_metadata_keys=["secret"]),
        TextNode(id_="8", text="own", metadata={"k": "v"}, text_template="<{content}> of {metadata_str}"),
        ImageNode(id_="9", text="a picture", image_url="http://localhost/a.png"),
    ]  # fmt: skip
    store.add(others)
    for node in [*NODES, *others]:
        (back,) = store.get_nodes([node.node_id])
        assert type(back) is type(node)
        assert back.to_dict() == node.to_dict()
    assert store.get_nodes(["nowhere"]) == []
    assert len(store.get_nodes()) == 9
    assert empty.get(["7"])[0].text == others[2].get_content(MetadataMode.EMBED) == "shown: y\n\nkept"
    big = TextNode(
        id_="10", text="big", relationships={NodeRelationship.SOURCE: related, NodeRelationship.PARENT: related}
    )
    store.add([big])
    assert store.get_nodes(["10"])[0].ref_doc_id == "doc"


def test_records_of_others_are_plain_nodes(store, empty):
    garbage = [{"at": 3, "node": "{", "type": "TextNode"}, {"at": "x"}, {"node": 5}, {"node": "[]", "type": None}, {}]
    empty.upsert(
        [
            {"id": f"g{at}", "text": "of others", "metadata": {"llama_index": own, "a": 1}}
            for at, own in enumerate(garbage)
        ]
    )
    found = store.query(VectorStoreQuery(query_str="of others", similarity_top_k=5))
    assert {node.text for node in found.nodes} == {"of others"} and all(node.metadata["a"] == 1 for node in found.nodes)
    with pytest.raises(UsageError, match="kept for the node itself"):
        store.add([TextNode(id_="x", text="a", metadata={"llama_index": 1})])


def one(key, value, operator=FilterOperator.EQ):
    return MetadataFilter(key=key, value=value, operator=operator)


FILTERS = [
    ([one("lang", "en")], "12"),
    ([one("lang", "en"), one("year", 2024)], "2"),
    ([one("year", 2023, FilterOperator.GT)], "23"),
    ([one("year", 2024, FilterOperator.GTE)], "23"),
    ([one("year", 2024, FilterOperator.LT)], "1"),
    ([one("year", 2023, FilterOperator.LTE)], "1"),
    ([one("lang", "en", FilterOperator.NE)], "34"),
    ([one("lang", ["de", "fr"], FilterOperator.IN)], "3"),
    ([one("lang", ["de", "fr"], FilterOperator.NIN)], "124"),
    ([one("tags", "vault", FilterOperator.CONTAINS)], "3"),
    ([one("note", "proxy", FilterOperator.TEXT_MATCH)], "2"),
    ([one("path", "a")], "1"),
]


@pytest.mark.parametrize(("filters", "passing"), FILTERS)
def test_filters_mean_what_they_mean_in_llama_index(store, filters, passing):
    filters = MetadataFilters(filters=filters)
    asked = VectorStoreQuery(query_str="rotate a key", similarity_top_k=9, filters=filters)
    assert ids(store.query(asked)) == list(passing)
    assert sorted(node.node_id for node in store.get_nodes(filters=filters)) == list(passing)
    simple = SimpleVectorStore()
    simple.add([node.model_copy(update={"embedding": [1.0, 0.0]}) for node in NODES])
    vectors = VectorStoreQuery(query_embedding=[1.0, 0.0], similarity_top_k=9, filters=filters)
    assert ids(simple.query(vectors)) == list(passing), "the oracle agrees"


def test_filters_of_several_values_and_conditions(store):
    def passing(filters, condition=FilterCondition.AND):
        return ids(
            store.query(
                VectorStoreQuery(
                    query_str="key", similarity_top_k=9, filters=MetadataFilters(filters=filters, condition=condition)
                )
            )
        )

    assert passing([one("tags", ["keys", "other"], FilterOperator.ANY)]) == ["3"]
    assert passing([one("tags", ["keys", "vault"], FilterOperator.ALL)]) == ["3"]
    assert passing([one("tags", ["keys", "other"], FilterOperator.ALL)]) == []
    assert passing([one("lang", None, FilterOperator.IS_EMPTY)]) == ["4"]
    assert passing([one("lang", "de"), one("year", 2023)], FilterCondition.OR) == ["1", "3"]
    assert passing([one("lang", "de")], FilterCondition.NOT) == ["1", "2", "4"]
    nested = MetadataFilters(filters=[one("lang", "de"), one("lang", "en")], condition=FilterCondition.OR)
    assert passing([nested, one("year", 2024)]) == ["2", "3"]
    assert passing([]) == ["1", "2", "3", "4"]
    for wrong in (
        one("note", "a*", FilterOperator.TEXT_MATCH),
        one("note", "A", FilterOperator.TEXT_MATCH_INSENSITIVE),
        one("lang", [], FilterOperator.IN),
        one("lang", ["a"], FilterOperator.GT),
    ):
        with pytest.raises(FilterError):
            passing([wrong])


@pytest.mark.parametrize("mode", list(VectorStoreQueryMode))
async def test_modes(store, mode):
    asked = VectorStoreQuery(query_str="Set a proxy", similarity_top_k=2, mode=mode, alpha=0.5)
    if mode.value in ("svm", "logistic_regression", "linear_regression"):
        with pytest.raises(UsageError, match=mode.value):
            store.query(asked)
        return
    found = store.query(asked)
    assert found.ids[0] == "2" and found.similarities == sorted(found.similarities, reverse=True)
    assert (await store.aquery(asked)).ids == found.ids
    assert len(found.ids) == (1 if mode.value in ("sparse", "text_search") else 2)


async def test_a_vector_alone_is_searched_by(store):
    vector = store.embed_model.get_query_embedding("Ask Maria")
    assert vector == await store.embed_model.aget_query_embedding("Ask Maria")
    asked = VectorStoreQuery(query_embedding=vector, similarity_top_k=2)
    assert store.query(asked).ids[0] == (await store.aquery(asked)).ids[0] == "4"
    with pytest.raises(SpaceMismatch):
        store.query(VectorStoreQuery(query_embedding=[1.0, 2.0]))
    with pytest.raises(UsageError):
        store.query(VectorStoreQuery())


async def test_an_index_of_llama_index_over_documents(home, empty):
    store = EmbassayNodeStore(empty)
    documents = [
        Document(doc_id="keys", text="Keys are rotated on Mondays. " * 60, metadata={"topic": "security"}),
        Document(doc_id="otters", text="Otters sleep afloat, holding hands.", metadata={"topic": "animals"}),
    ]
    index = VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=store.embed_model,
        transformations=[SentenceSplitter(chunk_size=100, chunk_overlap=0)],
    )
    assert empty.status().documents > 3
    retriever = index.as_retriever(similarity_top_k=1)
    (best,) = retriever.retrieve("who sleeps afloat")
    assert best.node.ref_doc_id == "otters" and best.node.text == documents[1].text
    assert best.node.metadata == {"topic": "animals"} and best.score is not None
    (same,) = await retriever.aretrieve("who sleeps afloat")
    assert same.node.node_id == best.node.node_id
    only = index.as_retriever(filters=MetadataFilters(filters=[one("topic", "security")]))
    assert {found.node.ref_doc_id for found in only.retrieve("who sleeps afloat")} == {"keys"}

    again = VectorStoreIndex.from_vector_store(EmbassayNodeStore(home.set("things")), embed_model=store.embed_model)
    assert again.as_retriever(similarity_top_k=1).retrieve("rotated keys")[0].node.ref_doc_id == "keys"
    index.delete_ref_doc("keys")
    assert [info.metadata["topic"] for info in empty.list()] == ["animals"]
    assert isinstance(AutoMergingRetriever(retriever, StorageContext.from_defaults()).retrieve("afloat"), list)


def test_vectors_are_taken_where_they_are_of_the_set(empty, home):
    store = EmbassayNodeStore(empty, take_vectors=True)
    pipeline = IngestionPipeline(transformations=[store.embed_model], vector_store=store)
    pipeline.run(
        nodes=[TextNode(id_="1", text="Ask Maria", metadata={"a": "b"}), TextNode(id_="2", text="Set a proxy")]
    )
    assert ids(store.query(VectorStoreQuery(query_str="Maria", similarity_top_k=5))) == ["1", "2"]
    wrong = TextNode(id_="3", text="Rotate a key", embedding=[0.1] * 384)
    with pytest.raises(SpaceMismatch):
        store.add([wrong])
    assert EmbassayNodeStore(empty).add([wrong, TextNode(id_="4", text="more")]) == ["3", "4"]
    store.add(
        [
            TextNode(id_="5", text="without"),
            NODES[0].model_copy(
                update={"embedding": store.embed_model.get_text_embedding(NODES[0].get_content(MetadataMode.EMBED))}
            ),
        ]
    )
    assert len(store.get_nodes()) == 5


async def test_what_goes_goes(store):
    store.add(
        [
            TextNode(
                id_="5", text="of a document", relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc")}
            )
        ]
    )
    store.delete("doc")
    await store.adelete("nowhere")
    assert len(store.get_nodes()) == 4
    store.delete_nodes(["1"], MetadataFilters(filters=[one("lang", "de")]))
    store.delete_nodes()
    assert len(store.get_nodes()) == 4
    store.delete_nodes(["1"])
    await store.adelete_nodes(filters=MetadataFilters(filters=[one("lang", "de")]))
    assert [node.node_id for node in await store.aget_nodes()] == ["2", "4"]
    assert await store.async_add([NODES[0]]) == ["1"]
    store.clear()
    await store.aclear()
    assert store.get_nodes() == [] and store.query(VectorStoreQuery(query_str="key")).ids == []


def test_a_long_node_is_cut_by_the_set_and_shown_in_pieces(empty):
    store = EmbassayNodeStore(empty)
    store.add([TextNode(id_="1", text=" ".join(f"word{at}" for at in range(2_000)), metadata={"a": "b"})])
    found = store.query(
        VectorStoreQuery(query_str="word1500", similarity_top_k=1, mode=VectorStoreQueryMode.TEXT_SEARCH)
    )
    assert "word1500" in found.nodes[0].text and len(found.nodes[0].text) < 4_000
    first = store.query(VectorStoreQuery(query_str="word0", similarity_top_k=1, mode=VectorStoreQueryMode.TEXT_SEARCH))
    assert first.nodes[0].text.startswith("word0 word1 ") and first.nodes[0].metadata == {"a": "b"}


async def test_a_retriever_over_files(home, docs):
    home.index([docs], set="files", model=MODEL)
    retriever = EmbassayNodeRetriever(home.set("files"), k=2, where='path ~ "**/*.md"', mode="hybrid")
    found = retriever.retrieve("route requests through a proxy")
    assert found[0].node.metadata["source"].endswith("docs/network/proxy.md") and found[0].score > 0
    assert found[0].node.metadata["lines"][0] >= 1
    assert [one.node.text for one in await retriever.aretrieve("route requests through a proxy")] == [
        one.node.text for one in found
    ]
    with pytest.raises(SetNotFound):
        EmbassayNodeRetriever(home.set("nowhere")).retrieve("a")


async def test_roles_are_kept_apart(tmp_path):
    made = EmbassayEmbedding(str(write_model(tmp_path / "model", CASES["bert-prompts"])))
    document, query = made.get_text_embedding("a b c"), made.get_query_embedding("a b c")
    assert document != query
    assert (await made.aget_text_embedding_batch(["a b c", "d"]))[0] == pytest.approx(document, abs=1e-5)
    assert made.get_text_embedding_batch(["a b c"])[0] == pytest.approx(document, abs=1e-5)


def test_without_llama_index_the_line_that_installs_it_is_told():
    code = (
        "import sys; sys.modules['llama_index'] = None\n"
        "try:\n    import embassay.integrations.llama_index\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PluginError") and "pip install '.[llama-index]'" in done.stdout
