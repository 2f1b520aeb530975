"""The same components over the sets of a real server, by embassay's own client, plain and for asyncio."""

from __future__ import annotations

import itertools

import pytest
from haystack import Document, Pipeline
from haystack.testing import document_store as standard
from haystack.utils import Secret
from langchain_core.documents import Document as Text
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery

from embassay.client import AsyncClient, Client, ServedSet
from embassay.errors import EmbassayError, SetNotFound, UsageError
from embassay.integrations.haystack import EmbassayDocumentStore, EmbassayEmbeddingRetriever, EmbassayHybridRetriever
from embassay.integrations.langchain import EmbassayEmbeddings, EmbassayRetriever, EmbassayVectorStore
from embassay.integrations.llama_index import EmbassayEmbedding, EmbassayNodeRetriever, EmbassayNodeStore
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from tests.integrations.test_haystack import DOCUMENTS, TRUSTED, Alike
from tests.server.conftest import running

pytestmark = [pytest.mark.asyncio, pytest.mark.filterwarnings("ignore:.*it is not an async function")]
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("served") / ".embassay") as found:
        yield found


@pytest.fixture
def client(served):
    with Client(served.url) as made:
        yield made


@pytest.fixture
def there(client) -> ServedSet:
    """A set with nothing in it."""
    name = f"things-{next(NUMBERS)}"
    client.create_set(name)
    return client.set(name)


class TestStandardVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, there):
        return EmbassayVectorStore(there)


class TestStandardVectorStoreForAsyncio:
    """Those of the standard tests that are for asyncio, over the client that has no plain verbs."""

    has_async = has_get_by_ids = True

    @pytest.fixture
    def vectorstore(self, served, there):
        return EmbassayVectorStore(AsyncClient(served.url).set(there.name))


for name in dir(VectorStoreIntegrationTests):
    if name.endswith("_async"):
        setattr(TestStandardVectorStoreForAsyncio, name, getattr(VectorStoreIntegrationTests, name))


class TestStandardRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def a_set(self, there):
        there.upsert([{"id": str(at), "text": f"text {at}"} for at in range(5)])
        self.docs = there

    @property
    def retriever_constructor(self):
        return EmbassayRetriever

    @property
    def retriever_constructor_params(self):
        return {"source": self.docs}

    @property
    def retriever_query_example(self):
        return "text 3"


class TestStandardDocumentStore(
    Alike, standard.DocumentStoreBaseTests, standard.DeleteAllTest, standard.UpdateByFilterTest
):
    @pytest.fixture
    def document_store(self, there):
        return EmbassayDocumentStore(source=there)

    def test_write_documents(self, document_store):
        assert document_store.write_documents([Document(id="1", content="a")]) == 1

    test_delete_all_documents_with_recreate_index = None  # a set is emptied, and never made anew: there is no option
    test_delete_all_documents_without_recreate_index = None


async def test_embeddings_are_those_of_the_set(served, there):
    with_texts = EmbassayEmbeddings(source=there)
    own = served.home.set(there.name)
    assert with_texts.embed_query("a key") == pytest.approx(own.embed(["a key"], "query").vectors[0].tolist(), abs=1e-5)
    assert (await with_texts.aembed_documents(["a", "b"]))[1] == pytest.approx(
        with_texts.embed_documents(["b"])[0], abs=1e-5
    )
    assert EmbassayEmbedding(source=there).get_query_embedding("a key") == pytest.approx(
        with_texts.embed_query("a key"), abs=1e-5
    )


def test_filters_and_what_goes(there):
    store = EmbassayVectorStore(there, places=True)
    store.add_documents(
        [Text("Rotate a key", id="1", metadata={"year": 2023}), Text("Set a proxy", id="2", metadata={"year": 2024})]
    )
    (found,) = store.similarity_search("key", filter={"year": {"$gte": 2024}})
    assert found.id == "2" and found.metadata["source"] == "2" and found.metadata["set"] == there.name
    near = store.similarity_search_with_relevance_scores("Rotate a key", k=1)
    assert near[0][0].id == "1" and near[0][1] > 0.9
    assert [one.id for one in store.max_marginal_relevance_search("key", k=2)] == ["1", "2"]
    with pytest.raises(UsageError, match="searched by a text"):
        store.similarity_search_by_vector([0.1] * 384)
    with pytest.raises(UsageError, match="create_set"):
        EmbassayVectorStore.from_texts(["a"], EmbassayEmbeddings("hash/64"), source=there)
    assert store.delete(filter={"year": 2023}) and store.delete() and not store.similarity_search("key")


def test_more_than_one_request_takes(there):
    store = EmbassayVectorStore(there, mode="lexical")
    names = [str(at) for at in range(1_200)]
    assert store.add_texts([f"number{at}" for at in names], ids=names) == names
    assert [one.page_content for one in store.similarity_search("number1100", k=1)] == ["number1100"]
    assert len(EmbassayDocumentStore(source=there).filter_documents()) == 1_200


def test_nodes_come_back_as_they_were(there):
    store = EmbassayNodeStore(there)
    nodes = [TextNode(id_="1", text="Rotate a key", metadata={"lang": "en"}), TextNode(id_="2", text="Ask Maria")]
    store.add(nodes)
    assert [node.to_dict() for node in store.get_nodes()] == [node.to_dict() for node in nodes]
    english = MetadataFilters(filters=[MetadataFilter(key="lang", value="en")])
    found = store.query(VectorStoreQuery(query_str="whom do I ask", similarity_top_k=2, filters=english))
    assert found.nodes[0].to_dict() == nodes[0].to_dict()
    assert EmbassayNodeRetriever(there, k=1).retrieve("whom do I ask")[0].node.text == "Ask Maria"
    store.delete_nodes(["1"])
    store.clear()
    assert store.get_nodes() == []


def test_a_pipeline_names_a_server_and_not_its_key(served, monkeypatch):
    monkeypatch.setenv("OUR_KEY", "secret")
    store = EmbassayDocumentStore("library", url=served.url, key=Secret.from_env_var("OUR_KEY"), model=None)
    assert store.count_documents() == 0
    assert store.write_documents(DOCUMENTS) == 3 and store.count_documents() == 3
    asking = Pipeline()
    asking.add_component("search", EmbassayHybridRetriever(store, top_k=1))
    written = asking.dumps()
    assert "secret" not in written and "OUR_KEY" in written and served.url in written
    read = Pipeline.loads(written, allowed_modules=TRUSTED)
    found = read.run({"search": {"query": "who sleeps afloat"}})["search"]["documents"]
    assert [one.id for one in found] == ["otters"]
    with pytest.raises(UsageError, match="searched by a text"):
        EmbassayEmbeddingRetriever(store).run([0.1] * 384)
    read.get_component("search").document_store.close()
    store.close()
    with pytest.raises(UsageError, match="a home and a server"):
        EmbassayDocumentStore("library", url=served.url, home="here")


def test_a_key_sees_its_sets_alone(tmp_path):
    with running(tmp_path / ".embassay") as found:
        for name in ("mine", "theirs"):
            found.home.set(name).upsert([{"id": "1", "text": name}], model="hash/64")
        token = KeyStore(found.home.folder).create("me", Grant(sets=("mine",)))[1]
        with Client(found.url, token) as client:
            assert EmbassayVectorStore(client.set("mine")).similarity_search("a")[0].page_content == "mine"
            with pytest.raises(SetNotFound):
                EmbassayVectorStore(client.set("theirs")).similarity_search("a")
            with pytest.raises(EmbassayError) as told:
                EmbassayVectorStore(client.set("mine")).add_texts(["b"])
            assert told.value.to_dict()["code"] == "not_allowed"
