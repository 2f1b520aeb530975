"""Cards by name, and the user's own."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import read_cards, shipped
from embassay.errors import CardError, ModelNotFound


def test_names_that_are_nearly_right():
    with pytest.raises(ModelNotFound, match=r"Did you mean 'BAAI/bge-small-en-v1\.5'\?"):
        shipped().show("BAAI/bge-smal-en-v1.5")
    with pytest.raises(ModelNotFound, match="Did you mean 'sentence-transformers/all-MiniLM-L6-v2'"):
        shipped().show("all-minilm-l6-v2")


def test_own_cards_join_and_replace(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text(
        '[[model]]\nid = "ours/tickets"\nprovider_ids = { openai = "tickets-v2" }\ndimensions = 512\nmax_tokens = 2048\n'
        'matryoshka = [128, 256]\nprompts = { query = "ticket: " }\nsources = "our wiki"\n'
    )
    catalog = shipped().with_files([file])
    assert catalog.named("openai", "tickets-v2").prompts == {"query": "ticket: "}
    assert catalog.get("ours/tickets").family == "ours"
    assert len(catalog.models) == len(shipped().models) + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[model]]\nid = 3", "ours.toml, 3"),
        ('[[model]]\nid = "a/b"\ndimension = 3', "unknown field `dimension`"),
        ("[[model", "cannot be read"),
        (
            '[[model]]\nid = "a/b"\nsimilarity = "euclidean"',
            "compared by cosine or dot here; write what .* or leave it out",
        ),
        ('[model]\nid = "a/b"', r"write \[\[model\]\]"),
        (
            '[[model]]\nid = "a/b"\nprovider_ids = {local = "a/b"}\nprompts = {query = "q:"}\nsources = "x"',
            "without white space",
        ),
    ],
)
def test_own_cards_that_are_wrong(tmp_path, text, words):
    file = tmp_path / "ours.toml"
    file.write_text(text)
    with pytest.raises(CardError, match=words):
        shipped().with_files([file])
    with pytest.raises(CardError):
        read_cards(tmp_path / "none.toml")
