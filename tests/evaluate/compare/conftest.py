"""Judged data made of words, and sets of a small folder."""

import json

import pytest

from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.types import Document
from tests.evaluate.compare.sample import words_of


@pytest.fixture
def judged():
    """40 queries of three words that only one of 60 documents has all of."""
    documents = tuple(Document(f"d{n}", f"d{n}", f"{' '.join(words_of(n))} delta{n}", title=f"T{n}") for n in range(60))
    queries = {f"q{n}": " ".join(words_of(n)[:3]) for n in range(40)}
    return JudgedSet("made/test", documents, queries, {f"q{n}": {f"d{n}": 1} for n in range(40)})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No home above, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def indexed(docs, monkeypatch):
    """Two sets of one folder in different spaces, and a third of other documents."""
    monkeypatch.chdir(docs.parent)
    for n in range(25):
        (docs / f"note{n}.txt").write_text(" ".join(words_of(n)) + ".\n")
    with open_home() as home:
        home.index(["docs"], set="small", model="hash/64")
        home.index(["docs"], set="large", model="hash/128")
        home.index(["docs/network"], set="other", model="hash/128")
    rows = [{"query": " ".join(words_of(n)[:3]), "relevant_docs": [f"docs/note{n}.txt#L1-1"]} for n in range(25)]
    (docs.parent / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return docs.parent
