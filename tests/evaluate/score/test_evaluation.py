import json
import math

import pytest

from embassay.errors import JudgedSetError, UsageError
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.score.evaluation import evaluate
from embassay.evaluate.score.metrics import DEFAULT_METRICS, mean, per_query
from embassay.search.modes import pipeline
from embassay.stores.backends.memory import MemoryStore
from tests.conftest import DEFAULT

CORPUS = {
    "d1": ("Keys", "Rotate a key with the key server before it expires."),
    "d2": ("Proxies", "Requests are routed through a proxy."),
    "d3": ("Cats", "A cat is a small furry animal that catches mice."),
    "q1": ("", "how to rotate a key"),
}
QUERIES = {"q1": "how to rotate a key", "q2": "pet that hunts mice", "q3": "never judged"}


@pytest.fixture
def judged(tmp_path):
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": i, "title": t, "text": x} for i, (t, x) in CORPUS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in QUERIES.items()))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n")
    return folder


def test_metrics_by_hand():
    """q1 finds its only relevant document second, q2 nothing."""
    qrels = {"q1": {"d1": 1}, "q2": {"d1": 1, "d2": 1}}
    values = per_query(qrels, {"q1": {"d9": 2.0, "d1": 1.0}}, DEFAULT_METRICS)
    assert values["q1"] == pytest.approx(
        {"nDCG@10": 1 / math.log2(3), "R@100": 1.0, "RR@10": 0.5, "P@5": 0.2, "AP@100": 0.5}
    )
    assert set(values["q2"].values()) == {0.0}
    assert mean(values)["RR@10"] == 0.25


def test_unknown_metric():
    with pytest.raises(UsageError, match="nDCG@10"):
        per_query({"q": {"d": 1}}, {}, ["nonsense@3"])


def test_evaluate(judged, minilm):
    data = read_judged(judged)
    assert data.name == "judged/test" and list(data.queries) == ["q1", "q2"]
    result = evaluate(data, minilm, MemoryStore(384), pipeline("dense"))
    assert result.per_query["q1"]["RR@10"] == 0.5, "the copy of the query stands before the answer"
    assert result.per_query["q2"]["nDCG@10"] == 1.0
    dropped = evaluate(data, minilm, MemoryStore(384), pipeline("dense"), drop_same_id=True)
    assert dropped.metrics["nDCG@10"] == 1.0
    for mode in ("lexical", "hybrid"):
        assert evaluate(data, minilm, MemoryStore(384), pipeline(mode), drop_same_id=True).metrics["RR@10"] == 1.0


def test_a_document_is_ranked_by_its_best_chunk(judged, minilm):
    filler = "Nothing of interest is said in this sentence about the weather. " * 60
    line = json.dumps({"_id": "long", "title": "", "text": filler + "\n\nThe pet cat that hunts mice.\n\n" + filler})
    with (judged / "corpus.jsonl").open("a") as stream:
        stream.write("\n" + line)
    (judged / "qrels/test.tsv").write_text("q2\tlong\t1\n")
    data = read_judged(judged)
    whole = evaluate(data, minilm, MemoryStore(384), pipeline("dense"))
    chunked = evaluate(data, minilm, MemoryStore(384), pipeline("dense"), chunks=True)
    assert chunked.metrics["RR@10"] > whole.metrics["RR@10"]
    assert len(chunked.per_query) == 1


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{broken\n', r"corpus\.jsonl:2: expected"),
        ("corpus.jsonl", '{"_id": 7, "text": "a"}\n', r"corpus\.jsonl:1"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n', r"judges 1 queries .* first 'q2'"),
        ("qrels/test.tsv", "q1 d1 1\n", r"test\.tsv:1: expected .* between tabs"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "no judgments"),
        ("qrels/test.tsv", "q1\tnowhere\t1\n", r"names 1 documents .* first 'nowhere'"),
    ],
)
def test_bad_judged_sets_say_where(judged, file, content, message):
    (judged / file).write_text(content)
    with pytest.raises(JudgedSetError, match=message):
        read_judged(judged)


def test_missing_parts(judged, tmp_path):
    with pytest.raises(JudgedSetError, match="There are: test"):
        read_judged(judged, "dev")
    (judged / "queries.jsonl").unlink()
    with pytest.raises(JudgedSetError, match="cannot be read"):
        read_judged(judged)
    with pytest.raises(JudgedSetError, match=r"does not exist.*embassay judge new"):
        read_judged(tmp_path / "none")


def test_published_numbers(shared, minilm):
    """XQuAD: 0.9436 in English, 0.7032 in German (embeddings-benchmark/results)."""
    for language, expected in (("en", 0.9436), ("de", 0.7032)):
        data = read_judged(shared / "xquad" / language, "test_mteb")
        result = evaluate(data, minilm, MemoryStore(384), pipeline("dense"))
        assert result.metrics["nDCG@10"] == pytest.approx(expected, abs=0.003), (language, DEFAULT)
