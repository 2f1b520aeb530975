"""The components for LangChain, held against LangChain's own standard tests."""

from __future__ import annotations

import subprocess
import sys

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import RunnableLambda
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests

import embassay
from embassay.errors import FilterError, SetNotFound, SpaceMismatch, UsageError
from embassay.integrations.langchain import EmbassayEmbeddings, EmbassayRetriever, EmbassayVectorStore
from tests.integrations.conftest import MODEL
from tests.tiny import CASES, write_model

pytestmark = [pytest.mark.asyncio, pytest.mark.filterwarnings("ignore:.*it is not an async function")]
"""Of the standard tests, those for asyncio are plain coroutines among others that are none."""


class TestStandardUnitEmbeddings(EmbeddingsUnitTests):
    @property
    def embeddings_class(self):
        return EmbassayEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": MODEL}


class TestStandardEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self):
        return EmbassayEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": MODEL}


class TestStandardVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, empty):
        return EmbassayVectorStore(empty)


class TestStandardVectorStoreByVectorsAlone(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, empty):
        return EmbassayVectorStore(empty, mode="dense")


class TestStandardRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def a_set(self, empty):
        empty.upsert([{"id": str(at), "text": f"text {at}"} for at in range(5)])
        self.docs = empty

    @property
    def retriever_constructor(self):
        return EmbassayRetriever

    @property
    def retriever_constructor_params(self):
        return {"source": self.docs}

    @property
    def retriever_query_example(self):
        return "text 3"


TEXTS = ["Rotate a key", "Set a proxy", "Rotate a signing key of the vault", "Ask Maria"]
METADATA = [
    {"lang": "en", "year": 2023, "path": "a"},
    {"lang": "en", "year": 2024},
    {"lang": "de", "year": 2024, "tags": ["keys", "vault"]},
    {},
]


@pytest.fixture
def store(empty):
    made = EmbassayVectorStore(empty)
    assert made.add_texts(TEXTS, METADATA, ids=["1", "2", "3", "4"]) == ["1", "2", "3", "4"]
    return made


def ids(documents):
    return sorted(one.id for one in documents)


@pytest.mark.parametrize(
    ("given", "passing"),
    [
        (None, "1234"),
        ({}, "1234"),
        ('lang = "en" and year > 2023', "2"),
        ({"lang": "en"}, "12"),
        ({"lang": "en", "year": 2024}, "2"),
        ({"year": {"$gte": 2024}}, "23"),
        ({"year": {"$gt": 2022, "$lt": 2024}}, "1"),
        ({"year": {"$lte": 2023}}, "1"),
        ({"lang": {"$ne": "en"}}, "34"),
        ({"lang": {"$in": ["de", "fr"]}}, "3"),
        ({"lang": {"$nin": ["de", "fr"]}}, "124"),
        ({"tags": "vault"}, "3"),
        ({"tags": {"$exists": True}}, "3"),
        ({"lang": None}, "4"),
        ({"path": "a"}, "1"),
        ({"lang": {"$like": "e*"}}, "12"),
        ({"$or": [{"lang": "de"}, {"year": 2023}]}, "13"),
        ({"$and": [{"lang": "en"}, {"$not": {"year": 2023}}]}, "2"),
    ],
)
def test_filters(store, given, passing):
    for search in (store.similarity_search, store.max_marginal_relevance_search):
        assert ids(search("rotate a key", k=9, filter=given)) == list(passing)
    assert ids(store.similarity_search_by_vector(store.embeddings.embed_query("a key"), k=9, filter=given)) == list(
        passing
    )


@pytest.mark.parametrize(
    "given",
    [
        {"$xor": []}, {"lang": {"$gte": None}}, {"lang": {"$near": 1}}, {"lang": {}}, {"lang": ["en"]}, {"$and": []},
        {"$or": {"a": 1}}, {"$not": {}}, {"$not": 3}, {"lang": {"$in": "en"}}, {"lang": {"$in": []}}, {"$and": [{}]}, 5,
        "lang =", {"lang": object()},
    ],
)  # fmt: skip
def test_what_is_no_filter_is_told(store, given):
    with pytest.raises(FilterError):
        store.similarity_search("a", filter=given)


def test_scores_and_relevance(store):
    found = store.similarity_search_with_score("Set a proxy", k=4, mode="dense")
    assert found[0][0].id == "2" and found[0][1] == pytest.approx(1, abs=0.01)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    near = store.similarity_search_with_relevance_scores("Set a proxy", k=4, score_threshold=0.9)
    assert [one.id for one, _ in near] == ["2"] and 0.9 < near[0][1] <= 1
    only = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.9, "k": 4})
    assert ids(only.invoke("Set a proxy")) == ["2"]


def test_a_vector_of_another_space_is_refused(store):
    assert store.similarity_search_by_vector(store.embeddings.embed_query("Ask Maria"), k=1)[0].id == "4"
    for wrong in ([0.1] * 6, [], ["a"], [float("nan")] * 128, None):
        with pytest.raises((SpaceMismatch, UsageError)):
            store.similarity_search_by_vector(wrong, k=1)


def test_texts_of_a_call_are_checked_before_anything_is_written(store):
    for wrong in ({"ids": ["9"]}, {"metadatas": [{}]}):
        with pytest.raises(UsageError, match="there must be one for each"):
            store.add_texts(["a", "b"], **wrong)
    with pytest.raises(UsageError):
        store.add_texts(["a", 5])
    assert len(list(store.source.list())) == 4
    assert store.add_texts([]) == []


def test_what_goes_goes(store):
    assert store.delete(filter={"lang": "en"}) and ids(store.get_by_ids(["1", "2", "3", "4"])) == ["3", "4"]
    with pytest.raises(UsageError, match="ids and a filter"):
        store.delete(["3"], filter={"lang": "de"})
    assert store.delete([]) and store.source.status().documents == 2
    assert store.delete() and not store.similarity_search("key")


def test_from_texts_makes_the_set(home):
    made = EmbassayVectorStore.from_texts(
        TEXTS, EmbassayEmbeddings(MODEL), METADATA, source=home.set("new"), mode="dense"
    )
    assert home.describe("new").spec.model == MODEL
    assert made.similarity_search("Ask Maria", k=1)[0].page_content == "Ask Maria"
    same = EmbassayVectorStore.from_documents([Document("More")], made.embeddings, source=home.set("new"))
    assert same.similarity_search("More", k=1)[0].page_content == "More"
    with pytest.raises(UsageError, match="none of embassay's"):
        EmbassayVectorStore.from_texts(["a"], DeterministicFakeEmbedding(size=3), source=home.set("new"))
    with pytest.raises(UsageError, match="no set to add to"):
        EmbassayVectorStore.from_texts(["a"])
    with pytest.raises(SpaceMismatch):
        EmbassayVectorStore.from_texts(["a"], EmbassayEmbeddings("hash/64"), source=home.set("new"))


def test_a_set_that_is_not_there_is_no_empty_one(home):
    home.create_set("other", model=MODEL)
    with pytest.raises(SetNotFound):
        EmbassayVectorStore(home.set("things")).similarity_search("a")


def test_roles_are_kept_apart(home, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert-prompts"]))
    docs = home.set("docs")
    docs.upsert([{"id": "1", "text": "a b c"}], model=model)
    for made in (EmbassayEmbeddings(source=docs), EmbassayEmbeddings(model)):
        as_document, as_query = made.embed_documents(["a b c"])[0], made.embed_query("a b c")
        assert as_document != as_query
        assert as_query == pytest.approx(docs.embed(["a b c"], "query").vectors[0].tolist(), abs=1e-5)
        assert as_document == pytest.approx(docs.embed(["a b c"], "document").vectors[0].tolist(), abs=1e-5)
    assert made.embed_documents([]) == []
    with pytest.raises(UsageError):
        EmbassayEmbeddings(model, source=docs)


async def test_files_say_where_they_stand(home, docs):
    home.index([docs], set="files", model=MODEL)
    retriever = EmbassayRetriever(source=home.set("files"), k=2, filter='path ~ "**/*.md"')
    found = await retriever.ainvoke("route requests through a proxy")
    best = next(one for one in found if one.id.endswith("proxy.md"))
    assert best.metadata["source"].endswith("docs/network/proxy.md") and best.metadata["lines"][0] >= 1
    assert best.metadata["year"] == 2024 and best.metadata["set"] == "files" and best.metadata["score"] > 0
    plain = EmbassayVectorStore(home.set("files")).similarity_search("proxy", k=5)
    assert not any("lines" in one.metadata for one in plain)
    assert all(
        "lines" in one.metadata
        for one in EmbassayVectorStore(home.set("files"), places=True).similarity_search("proxy")
    )
    lexical = EmbassayRetriever(source=home.set("files"), options={"mode": "lexical"})
    assert [one.id.endswith("keys.md") for one in lexical.invoke("argon2")] == [True]
    assert len(lexical.invoke("a b", pipeline="dense(9) >> top(3)", mode="hybrid")) == 3


def test_a_chain_of_langchain_answers_from_a_set(store):
    chain = store.as_retriever(search_kwargs={"k": 1}) | RunnableLambda(lambda found: found[0].page_content.upper())
    assert chain.invoke("Set a proxy") == "SET A PROXY"
    assert chain.batch(["Set a proxy", "Ask Maria"]) == ["SET A PROXY", "ASK MARIA"]


def test_without_langchain_the_line_that_installs_it_is_told():
    code = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "try:\n    import embassay.integrations.langchain\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PluginError") and "pip install '.[langchain]'" in done.stdout


def test_embassay_itself_loads_none_of_it():
    code = "import embassay, sys; embassay.EmbeddingSet; embassay.Home; print([n for n in ('pydantic', 'langchain_core', 'llama_index', 'haystack', 'mcp') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert embassay
