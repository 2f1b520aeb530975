"""The components for Haystack, held against Haystack's own tests of document stores, and in a pipeline."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy, FilterPolicy
from haystack.errors import FilterError as HaystackFilterError
from haystack.testing import document_store as standard
from haystack.testing import document_store_async as standard_async

import embassay
from embassay.errors import FilterError, SpaceMismatch, UsageError
from embassay.integrations.haystack import (
    EmbassayDocumentEmbedder,
    EmbassayDocumentStore,
    EmbassayEmbeddingRetriever,
    EmbassayHybridRetriever,
    EmbassayTextEmbedder,
)
from tests.integrations.conftest import MODEL

pytestmark = pytest.mark.filterwarnings("ignore:.*it is not an async function")

TRUSTED = ["embassay.integrations.*"]
"""Haystack makes only what it is told to trust of a pipeline that was written down."""


class Alike:
    """The documents of a set come in the order of their ids, and without the vectors that they brought."""

    @pytest.fixture
    def document_store(self, empty):
        return EmbassayDocumentStore(source=empty)

    @staticmethod
    def assert_documents_are_equal(received, expected):
        def plain(documents):
            return sorted((one.id, one.content, one.meta) for one in documents)

        assert plain(received) == plain(expected)
        assert all(one.embedding is None and one.score is None for one in received)


class TestStandardStore(
    Alike,
    standard.DocumentStoreBaseExtendedTests,
    standard.CountDocumentsByFilterTest,
    standard.CountUniqueMetadataByFilterTest,
    standard.GetMetadataFieldsInfoTest,
    standard.GetMetadataFieldMinMaxTest,
    standard.GetMetadataFieldUniqueValuesTest,
):
    def test_write_documents(self, document_store):
        """What no policy means is the store's to say: as OVERWRITE."""
        one, changed = Document(id="1", content="a"), Document(id="1", content="b")
        assert document_store.write_documents([one]) == 1
        assert document_store.write_documents([changed]) == 1
        assert [found.content for found in document_store.filter_documents()] == ["b"]

    test_delete_all_documents_with_recreate_index = None  # a set is emptied, and never made anew: there is no option
    test_delete_all_documents_without_recreate_index = None


class TestStandardAsyncStore(
    Alike,
    standard_async.CountDocumentsAsyncTest,
    standard_async.CountDocumentsByFilterAsyncTest,
    standard_async.DeleteByFilterAsyncTest,
    standard_async.UpdateByFilterAsyncTest,
    standard_async.DeleteDocumentsAsyncTest,
    standard_async.FilterDocumentsAsyncTest,
    standard_async.WriteDocumentsAsyncTest,
):
    @pytest.mark.asyncio
    async def test_write_documents_async(self, document_store):
        assert await document_store.write_documents_async([Document(id="1", content="a")]) == 1
        await document_store.delete_all_documents_async()
        assert await document_store.count_documents_async() == 0


DOCUMENTS = [
    Document(id="keys", content="Keys are rotated on Mondays.", meta={"lang": "en", "year": 2023}),
    Document(id="otters", content="Otters sleep afloat, holding hands.", meta={"lang": "en", "year": 2024, "path": "a/b"}),
    Document(id="herons", content="Reiher stehen still im Wasser.", meta={"lang": "de", "tags": ["birds", "water"]}),
]  # fmt: skip


@pytest.fixture
def store(empty):
    made = EmbassayDocumentStore(source=empty)
    assert made.write_documents(DOCUMENTS) == 3
    return made


def ids(documents):
    return sorted(one.id for one in documents)


def test_more_filters(store):
    def passing(field, operator, value):
        return ids(store.filter_documents({"field": field, "operator": operator, "value": value}))

    assert passing("lang", "==", "en") == passing("meta.lang", "==", "en") == ["keys", "otters"]
    assert passing("id", "in", ["keys", "herons"]) == ["herons", "keys"]
    assert passing("meta.path", "==", "a/b") == ["otters"]
    assert passing("meta.year", "in", [2023, None]) == ["herons", "keys"]
    assert passing("meta.year", "not in", []) == ["herons", "keys", "otters"] and passing("meta.year", "in", []) == []
    assert passing("meta.tags", "==", ["birds", "water"]) == ["herons"]
    store.write_documents([Document(id="day", content="A day.", meta={"day": date(2024, 5, 1)})])
    assert passing("meta.day", ">=", date(2024, 1, 1)) == passing("meta.day", ">=", "2024-01-01") == ["day"]
    wrong = [
        {"field": "content", "operator": "==", "value": "a"}, {"field": 5, "operator": "==", "value": 1}, 5, "lang",
        {"field": "a", "operator": "like", "value": 1}, {"operator": "XOR", "conditions": [{}]},
        {"operator": "AND", "conditions": []}, {"operator": "AND", "conditions": [{}]}, {"operator": "AND", "conditions": "a"},
        {"field": "a", "operator": "==", "value": object()},
    ]  # fmt: skip
    for filters in wrong:
        with pytest.raises(FilterError) as told:
            store.filter_documents(filters)
        assert isinstance(told.value, HaystackFilterError) and told.value.code == "filter_error"


def test_policies(store):
    new, old = Document(id="new", content="new"), Document(id="keys", content="changed")
    assert store.write_documents([new, old, new], DuplicatePolicy.SKIP) == 1
    assert store.source.get(["keys"])[0].text == DOCUMENTS[0].content
    for twice in ([old], [Document(id="z", content="a"), Document(id="z", content="b")]):
        with pytest.raises(DuplicateDocumentError):
            store.write_documents(twice, DuplicatePolicy.FAIL)
    assert store.write_documents([old, new], DuplicatePolicy.OVERWRITE) == 2
    assert store.source.get(["keys"])[0].text == "changed"
    with pytest.raises(UsageError, match="has no text"):
        store.write_documents([Document(id="blank")])


def test_vectors_are_taken_where_they_are_of_the_set(empty):
    store = EmbassayDocumentStore(source=empty, take_vectors=True)
    embedded = EmbassayDocumentEmbedder(MODEL).run(DOCUMENTS)
    assert [one.embedding for one in DOCUMENTS] == [None] * 3 and embedded["meta"]["space"] == str(
        empty.embedder().space
    )
    assert store.write_documents([*embedded["documents"], Document(id="more", content="more")]) == 4
    with pytest.raises(SpaceMismatch):
        store.write_documents([Document(id="wrong", content="another", embedding=[0.1] * 384)])
    query = EmbassayTextEmbedder(MODEL).run("who sleeps afloat")["embedding"]
    (best,) = EmbassayEmbeddingRetriever(store, top_k=1).run(query)["documents"]
    assert best.id == "otters" and 0.3 < best.score <= 1 and best.meta["lines"] == [1, 1]
    with pytest.raises(SpaceMismatch):
        EmbassayEmbeddingRetriever(store).run([0.1, 0.2])


def test_embedders_know_what_they_are_given(home):
    assert EmbassayDocumentEmbedder(MODEL).run([]) == {"documents": [], "meta": {}}
    with_fields = EmbassayDocumentEmbedder(MODEL, meta_fields_to_embed=["lang", "nothing"], embedding_separator=": ")
    (made,) = with_fields.run([DOCUMENTS[0]])["documents"]
    as_text = embassay.embed(["en: Keys are rotated on Mondays."], "document", model=MODEL).vectors[0]
    assert made.embedding == pytest.approx(as_text.tolist(), abs=1e-5) and made.content == DOCUMENTS[0].content
    with pytest.raises(UsageError, match="other embedder"):
        EmbassayTextEmbedder(MODEL).run(DOCUMENTS)
    with pytest.raises(UsageError, match="other embedder"):
        EmbassayDocumentEmbedder(MODEL).run("a text")


def test_filters_of_a_run_replace_or_are_merged(store):
    english = {"field": "meta.lang", "operator": "==", "value": "en"}
    recent = {"field": "meta.year", "operator": ">", "value": 2023}
    old = {"field": "meta.year", "operator": "<", "value": 2024}
    replacing = EmbassayHybridRetriever(store, filters=recent)
    assert ids(replacing.run("a")["documents"]) == ["otters"]
    assert ids(replacing.run("a", filters=english)["documents"]) == ["keys", "otters"]
    merging = EmbassayHybridRetriever(store, filters=english, filter_policy=FilterPolicy.MERGE)
    assert ids(merging.run("a", filters=old)["documents"]) == ["keys"]
    assert len(merging.run("a", top_k=1)["documents"]) == 1
    with pytest.raises(UsageError):
        EmbassayHybridRetriever("no store")


def pipelines(home_folder):
    """One that writes, and one that asks in two ways and joins what comes."""
    store = EmbassayDocumentStore("library", home=str(home_folder), model=MODEL)
    writing = Pipeline()
    writing.add_component("split", DocumentSplitter(split_by="word", split_length=20))
    writing.add_component("write", DocumentWriter(store, policy=DuplicatePolicy.OVERWRITE))
    writing.connect("split", "write")
    asking = Pipeline()
    asking.add_component("embed", EmbassayTextEmbedder(MODEL))
    asking.add_component("near", EmbassayEmbeddingRetriever(store, top_k=2))
    asking.add_component("both", EmbassayHybridRetriever(store, top_k=2, options={"mode": "lexical"}))
    asking.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    asking.connect("embed.embedding", "near.query_embedding")
    asking.connect("near", "join.documents")
    asking.connect("both", "join.documents")
    return store, writing, asking


def test_pipelines_run_and_are_written_down(tmp_path):
    store, writing, asking = pipelines(tmp_path / ".embassay")
    texts = {"documents": [Document(content=one.content + " " + "filler words " * 30) for one in DOCUMENTS]}
    written = Pipeline.loads(writing.dumps(), allowed_modules=TRUSTED)
    assert written.run({"split": texts})["write"]["documents_written"] > 3
    written.get_component("write").document_store.close()
    question = {"embed": {"text": "who sleeps afloat"}, "both": {"query": "otters afloat"}}
    found = asking.run(question)["join"]["documents"]
    assert "Otters" in found[0].content and found[0].meta["source"]
    read = Pipeline.loads(asking.dumps(), allowed_modules=TRUSTED)
    assert [one.id for one in read.run(question)["join"]["documents"]] == [one.id for one in found]
    for component in ("near", "both"):
        read.get_component(component).document_store.close()
    assert store.count_documents() > 3
    store.close()
    assert EmbassayDocumentStore.from_dict(store.to_dict()).to_dict() == store.to_dict()


@pytest.mark.asyncio
async def test_a_pipeline_for_asyncio(store):
    asking = Pipeline()
    asking.add_component("embed", EmbassayTextEmbedder(MODEL))
    asking.add_component("near", EmbassayEmbeddingRetriever(store, top_k=1))
    asking.connect("embed.embedding", "near.query_embedding")
    found = await asking.run_async({"embed": {"text": "who sleeps afloat"}})
    assert ids(found["near"]["documents"]) == ["otters"]
    both = await EmbassayHybridRetriever(store).run_async("otters", top_k=1)
    assert ids(both["documents"]) == ["otters"]
    assert len((await EmbassayDocumentEmbedder(MODEL).run_async(DOCUMENTS))["documents"]) == 3


def test_a_set_that_is_open_cannot_be_written_down(store):
    with pytest.raises(UsageError, match="Make it by name"):
        store.to_dict()


def test_a_set_that_is_not_there_yet_is_empty_and_made_by_the_first_document(tmp_path):
    store = EmbassayDocumentStore("new", home=str(tmp_path / ".embassay"), model="hash/64")
    assert store.count_documents() == 0 and store.filter_documents() == [] and store.delete_by_filter({}) == 0
    store.delete_documents(["a"])
    store.delete_all_documents()
    assert not (tmp_path / ".embassay").exists()
    store.write_documents(DOCUMENTS)
    assert store.source.status().documents == 3 and "64" in str(store.source.embedder().space)
    store.close()


def test_without_haystack_the_line_that_installs_it_is_told():
    code = (
        "import sys; sys.modules['haystack'] = None\n"
        "try:\n    import embassay.integrations.haystack\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PluginError") and "pip install '.[haystack]'" in done.stdout
