"""People's own labels and logs."""

import json

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.judge.labelled import passages_at, read_labels
from embassay.evaluate.judge.passages import Passages
from tests.evaluate.judge.sample import documents


@pytest.fixture
def passages():
    return Passages(documents())


def test_labels_and_logs(tmp_path, passages):
    ids = [passage.id for passage in passages.all]
    file = tmp_path / "own.jsonl"
    rows = [
        {"query": "dead letters", "relevant_docs": {"jobs.md#L7-9": 2}},
        {"query": "Dead letters ", "clicked": ["guide.md", "gone.md#L1-2"]},
        {"query": "unclicked", "clicked": []},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    (query,), unknown = read_labels(file, ids)
    assert unknown == ["gone.md#L1-2"] and query.source == "label"
    assert set(query.relevant) >= set(passages_at("guide.md", ids)) and 2 in query.relevant.values()
    file.write_text('{"query": "a", "relevant_docs": ["guide.md"]}\n{"relevant_docs": []}\n')
    with pytest.raises(JudgedSetError, match=r"own\.jsonl:2: expected"):
        read_labels(file, ids)
