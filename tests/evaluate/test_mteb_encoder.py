"""A model of embassay as an encoder of the real MTEB, on tasks in memory."""

import os
import sys

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import PluginError
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.mteb_encoder import MtebEncoder
from embassay.evaluate.score.evaluation import evaluate
from embassay.search.modes import pipeline
from embassay.stores.opening import exact_store
from embassay.types import Document
from tests.conftest import DEFAULT
from tests.embedders.fakes import Lengths

DOCUMENTS = {
    "d1": ("Keys", "Rotate a key with the key server before it expires."),
    "d2": ("Proxies", "Requests are routed through a proxy."),
    "d3": ("Cats", "A cat is a small furry animal that catches mice."),
    "d4": ("", "Deadlines and timeouts of the client."),
}
QUERIES = {"q1": "how to replace a key", "q2": "pet that hunts mice", "q3": "request gets no answer"}
QRELS = {"q1": {"d1": 1}, "q2": {"d3": 1}, "q3": {"d2": 1}}


@pytest.fixture(scope="module")
def mteb(tmp_path_factory):
    """Imported once, with a cache folder of its own: importing it makes one."""
    before = os.environ.get("MTEB_CACHE")
    os.environ["MTEB_CACHE"] = str(tmp_path_factory.mktemp("mteb"))
    try:
        yield pytest.importorskip("mteb", reason="needs the extra mteb")
    finally:
        os.environ.pop("MTEB_CACHE")
        if before:
            os.environ["MTEB_CACHE"] = before


def metadata(mteb, name, kind, score):
    return mteb.TaskMetadata(
        name=name, type=kind, main_score=score, description=name, dataset={"path": "local/none", "revision": "1"},
        eval_langs=["eng-Latn"], category="t2t",
    )  # fmt: skip


def run(mteb, encoder, task):
    (result,) = mteb.evaluate(
        encoder, tasks=[task], encode_kwargs={"show_progress_bar": False}, cache=None, co2_tracker=False,
        show_progress_bar=False,
    )  # fmt: skip
    return result.scores["test"][0]


def test_retrieval_scores_as_we_do(mteb, minilm):
    from datasets import Dataset
    from mteb.abstasks import AbsTaskRetrieval

    class Tiny(AbsTaskRetrieval):
        metadata = metadata_of = metadata(mteb, "TinyRetrieval", "Retrieval", "ndcg_at_10")

        def load_data(self, num_proc=None, **kwargs):
            corpus = [{"id": d, "title": title, "text": text} for d, (title, text) in DOCUMENTS.items()]
            queries = [{"id": q, "text": text} for q, text in QUERIES.items()]
            self.dataset = {"default": {"test": {
                "corpus": Dataset.from_list(corpus), "queries": Dataset.from_list(queries), "relevant_docs": QRELS,
                "top_ranked": None,
            }}}  # fmt: skip
            self.data_loaded = True

    theirs = run(mteb, MtebEncoder(minilm), Tiny())
    documents = tuple(Document(d, d, text, title=title) for d, (title, text) in DOCUMENTS.items())
    judged = JudgedSet("tiny", documents, QUERIES, QRELS)
    ours = evaluate(judged, minilm, exact_store(384), pipeline("dense"), metrics=("nDCG@10", "RR@10"))
    assert theirs["ndcg_at_10"] == pytest.approx(ours.metrics["nDCG@10"], abs=1e-4)
    assert theirs["mrr_at_10"] == pytest.approx(ours.metrics["RR@10"], abs=1e-4)


def test_similarity_scores_as_we_do(mteb, minilm):
    from datasets import Dataset, DatasetDict
    from mteb.abstasks import AbsTaskSTS

    from embassay.evaluate.data.pairs import SentencePairs
    from embassay.evaluate.score.pairs import score_pairs
    from tests.evaluate.sentences import STS

    first, second, scores = (list(column) for column in zip(*STS, strict=True))

    class Tiny(AbsTaskSTS):
        metadata = metadata_of = metadata(mteb, "TinySTS", "STS", "cosine_spearman")
        min_score, max_score = 0, 5

        def load_data(self, num_proc=None, **kwargs):
            columns = {"sentence1": first, "sentence2": second, "score": scores}
            self.dataset = DatasetDict(test=Dataset.from_dict(columns))
            self.data_loaded = True

    theirs = run(mteb, MtebEncoder(minilm), Tiny())
    assert theirs["cosine_spearman"] == pytest.approx(
        score_pairs(minilm, SentencePairs("p", first, second, scores)).spearman, abs=1e-4
    )


def test_roles_and_identity(mteb, minilm):
    from mteb.models.models_protocols import EncoderProtocol
    from mteb.types import PromptType

    asked = []

    class Spy:
        def __getattr__(self, name):
            return getattr(minilm, name)

        def stream(self, texts, role, on_long="truncate"):
            asked.append(role)
            return minilm.stream(texts, role, on_long)

    encoder = MtebEncoder(Spy())
    assert isinstance(encoder, EncoderProtocol)
    batches = [{"text": ["a", "b"]}, {"text": ["c"]}]
    for kind in (PromptType.query, PromptType.document, None):
        assert encoder.encode(batches, prompt_type=kind).shape == (3, 384)
    assert asked == ["query", "document", "query"]
    meta = encoder.mteb_model_meta
    assert meta.name == DEFAULT and meta.revision == f"{minilm.space.digest}-f32", "mteb keeps results by these"
    made = encoder.encode(batches)
    assert np.allclose(np.diag(encoder.similarity(made, made)), 1, atol=1e-5)
    assert np.allclose(encoder.similarity_pairwise(made, made), 1, atol=1e-5)


def test_a_model_for_the_dot_product_is_compared_by_it(mteb):
    encoder = MtebEncoder(Lengths(HashEmbedder(64)))
    made = encoder.encode([{"text": ["a", "b", "c"]}])
    assert encoder.mteb_model_meta.similarity_fn_name == "dot"
    assert np.allclose(encoder.similarity(made, made), made @ made.T)
    assert np.allclose(encoder.similarity_pairwise(made, made), (made * made).sum(axis=1))


def test_by_name(mteb):
    with MtebEncoder("hash/64") as encoder:
        assert encoder.mteb_model_meta.embed_dim == 64 and "/" in encoder.mteb_model_meta.name


def test_without_mteb(monkeypatch, minilm):
    for name in [name for name in sys.modules if name.split(".")[0] == "mteb"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(PluginError, match=r"pip install '\.\[mteb\]'"):
        MtebEncoder(minilm)
