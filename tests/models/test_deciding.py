"""Trees run by a program."""

from __future__ import annotations

import pytest

import embassay
from embassay.errors import UsageError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_program_answers_by_name_and_is_asked_for_the_rest():
    assert embassay.decide("rag", multilingual=True).leaf.startswith("multilingual-e5-large")
    assert embassay.decide("rag", chunk_tokens=800).steps[-1].name == "chunk-tokens"
    asked = []
    found = embassay.decide(
        "rerank", domain_specific=True, ask=lambda q: asked.append(q.name) or (40 if q.is_number else None)
    )
    assert asked == ["llm-rerank", "storage", "recall-at-10"] and found.leaf == "fine-tune a base model"


def test_cards_of_the_users_own_are_part_of_the_catalog(tmp_path):
    (tmp_path / "embassay.yaml").write_text("cards: [own.toml]\n")
    (tmp_path / "own.toml").write_text(
        '[[model]]\nid = "us/hosted"\nprovider_ids = {openai = "hosted"}\nsources = "ours"\n'
    )
    assert "us/hosted" in dict(embassay.decide("rag", privacy=True).steps[0].excluded)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"tree": "rak"}, "no tree"),
        ({"tree": "rag", "llm_rerank": True}, "does not ask 'llm-rerank'"),
        ({"tree": "rag", "models": "models.csv"}, "reads no table"),
        ({"tree": "funnel", "privacy": True}, "asks nothing"),
        ({"tree": "funnel", "models": "none.csv"}, "cannot be read"),
        ({"tree": "rag", "use_case": "lawyers"}, "no use case"),
        ({"tree": "rerank", "use_case": "legal"}, "has no use cases"),
        ({"tree": "rag", "use_case": "legal", "privacy": True}, "looked up"),
        ({"tree": 5}, "tree is 5"),
    ],
)
def test_what_would_be_ignored_or_does_not_exist_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        embassay.decide(**call)
