"""How published scores are written, and what is refused."""

from __future__ import annotations

import pytest

from embassay.catalog.card import ModelCard
from embassay.catalog.consistency import inconsistencies
from embassay.catalog.scores import Scores, every_score, parse, score_of

TWO = (
    Scores(source="ours", values="SciFact 70.5, BelebeleRetrieval[de] 90", date="2026-01-02"),
    Scores(source="theirs", values="SciFact 72", note="as published", makers=True),
)


def test_of_two_sources_the_first_counts_and_both_are_told():
    assert score_of(TWO, "SciFact").value == 70.5
    assert score_of(TWO, "SciFact").published.source == "ours"
    assert score_of(TWO, "NFCorpus") is None
    told = [score.to_dict() for score in every_score(TWO)]
    assert [(s["task"], s["value"], s["makers"]) for s in told] == [
        ("SciFact", 70.5, False), ("BelebeleRetrieval[de]", 90.0, False), ("SciFact", 72.0, True),
    ]  # fmt: skip
    assert told[0]["benchmark"] == "BEIR" and told[0]["domains"] == ["general", "scientific"]
    assert told[1]["languages"] == ["de"] and told[1]["metric"] == "nDCG@10"


@pytest.mark.parametrize("values", ["", "SciFact", "71.2", "SciFact high", "SciFact 70, SciFact 71", "SciFact 70,"])
def test_what_is_no_score_is_refused(values):
    with pytest.raises(ValueError):
        parse(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [("SciFakt 70", "SciFakt"), ("SciFact 170", "outside 0 to 100"), ("SciFact nan", "outside"), ("x", "no score")],
)
def test_a_card_with_scores_that_cannot_be_is_refused(values, words):
    card = ModelCard(id="a/b", provider_ids={"local": "a/b"}, sources="x", scores=(Scores(source="x", values=values),))
    assert any(words in problem for problem in inconsistencies(card))


def test_scores_name_their_source():
    with pytest.raises(ValueError, match="no source"):
        Scores(source=" ", values="SciFact 70")
