"""Twenty questions of users: whether the advice is what an expert says, the same twice, and sourced to the last figure."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from embassay.catalog.advice import advise
from embassay.catalog.catalog import shipped
from embassay.catalog.rules import Needs
from embassay.catalog.sizing import Load

QUESTIONS = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))["question"]
ENOUGH = 18
CARDS = shipped().models


def _advice(question):
    return advise(CARDS.values(), _needs(question))


def _needs(question):
    return Needs(**{name: _value(value) for name, value in question["needs"].items()})


def _value(value):
    if isinstance(value, dict):
        return Load(**value)
    return tuple(value) if isinstance(value, list) else value


def test_an_expert_would_agree():
    assert len(QUESTIONS) == 20
    missed = []
    for question in QUESTIONS:
        first = [pick.card.id for pick in _advice(question).recommended[:3]]
        if not set(first) & set(question["experts"]):
            missed.append((question["asked"], first))
    assert len(QUESTIONS) - len(missed) >= ENOUGH, missed


@pytest.mark.parametrize("question", QUESTIONS, ids=range(1, len(QUESTIONS) + 1))
def test_each_answer_is_steady_and_sourced(question):
    assert question["why"] and question["flags"]
    assert set(question["experts"]) <= set(CARDS), "an expert names models that are in the catalog"
    advice = _advice(question)
    assert advice == _advice(question)
    backwards = advise(reversed(CARDS.values()), _needs(question))
    assert backwards.recommended == advice.recommended, "the order of the cards decides nothing"
    for pick in advice.to_dict()["recommended"]:
        assert pick["scores"] and all((score["source"] and score["date"]) or score["note"] for score in pick["scores"])
        assert not pick["usd_per_million_tokens"] or (pick["price_date"] and pick["price_source"])
