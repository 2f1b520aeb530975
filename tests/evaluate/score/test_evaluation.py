"""Models and pipelines scored on judged data."""

import json

import pytest

from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.score.evaluation import evaluate
from embassay.search.modes import pipeline
from embassay.stores.opening import exact_store
from tests.conftest import DEFAULT


def test_evaluate(judged, minilm):
    data = read_judged(judged)
    assert data.name == "judged/test" and list(data.queries) == ["q1", "q2"]
    result = evaluate(data, minilm, exact_store(384), pipeline("dense"))
    assert result.per_query["q1"]["RR@10"] == 0.5, "the copy of the query stands before the answer"
    assert result.per_query["q2"]["nDCG@10"] == 1.0
    dropped = evaluate(data, minilm, exact_store(384), pipeline("dense"), drop_same_id=True)
    assert dropped.metrics["nDCG@10"] == 1.0
    for mode in ("lexical", "hybrid"):
        assert evaluate(data, minilm, exact_store(384), pipeline(mode), drop_same_id=True).metrics["RR@10"] == 1.0


def test_a_document_is_ranked_by_its_best_chunk(judged, minilm):
    filler = "Nothing of interest is said in this sentence about the weather. " * 60
    line = json.dumps({"_id": "long", "title": "", "text": filler + "\n\nThe pet cat that hunts mice.\n\n" + filler})
    with (judged / "corpus.jsonl").open("a") as stream:
        stream.write("\n" + line)
    (judged / "qrels/test.tsv").write_text("q2\tlong\t1\n")
    data = read_judged(judged)
    whole = evaluate(data, minilm, exact_store(384), pipeline("dense"))
    chunked = evaluate(data, minilm, exact_store(384), pipeline("dense"), chunks=True)
    assert chunked.metrics["RR@10"] > whole.metrics["RR@10"]
    assert len(chunked.per_query) == 1


def test_published_numbers(shared, minilm):
    """XQuAD: 0.9436 in English, 0.7032 in German (embeddings-benchmark/results)."""
    for language, expected in (("en", 0.9436), ("de", 0.7032)):
        data = read_judged(shared / "xquad" / language, "test_mteb")
        result = evaluate(data, minilm, exact_store(384), pipeline("dense"))
        assert result.metrics["nDCG@10"] == pytest.approx(expected, abs=0.003), (language, DEFAULT)
