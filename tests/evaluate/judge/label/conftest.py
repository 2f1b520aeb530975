"""A folder of passages, of which word searches and hash vectors find different ones."""

import json

import pytest

from embassay.evaluate.judge.label.opening import label

CANDIDATES = ("hash/64", "hash/64@lexical")
QUESTIONS = [f"needle{at} in word{at * 3}" for at in range(5)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "judged"
    (made / "qrels").mkdir(parents=True)
    (made / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    (made / "queries.jsonl").write_text("")
    rows = [
        {"_id": f"docs/{at}.md#L1-9", "title": f"Title {at}", "text": f"needle{at % 7} hay word{at} straw{at // 3}"}
        for at in range(40)
    ]
    (made / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


@pytest.fixture
def opened(folder):
    """Opens the folder to be judged, with its candidates."""
    return lambda questions=QUESTIONS, candidates=CANDIDATES, **options: label(folder, candidates, questions, **options)
