"""Saved queries, with and without judgments."""

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.saved import read_queries
from embassay.evaluate.score.metrics import per_query


def test_saved_queries(tmp_path):
    text = tmp_path / "saved.txt"
    text.write_text("first query\n\nsecond query\nfirst query\n")
    assert read_queries(text) == ["first query", "second query"]
    log = tmp_path / "log.jsonl"
    log.write_text('{"query": "a"}\n{"query": "b"}\n')
    assert read_queries(log) == ["a", "b"]
    log.write_text('{"query": "a", "clicked": ["docs/a.md#L3-9"]}\n{"query": "b"}\n')
    found = read_queries(log)
    assert found.qrels == {"q1": {"docs/a.md#L3-9": 1}} and found.unjudged == ("q2",)
    text.write_text("\n")
    with pytest.raises(JudgedSetError, match="holds no queries"):
        read_queries(text)


def test_negative_grades_are_not_relevant(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"query": "a", "relevant_docs": {"d": -2}}\n{"query": "b", "relevant_docs": {"d": 1, "e": -1}}\n')
    found = read_queries(log)
    assert list(found.queries) == ["q2"]
    assert per_query({"q": {"d": -2, "e": 1}}, {"q": {"d": 2.0, "e": 1.0}}, ["RR@10", "nDCG@10"])["q"]["RR@10"] == 0.5
