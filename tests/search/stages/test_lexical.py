import pytest

from embassay.errors import UsageError
from embassay.search.base import Candidates
from embassay.search.context import Sought
from embassay.search.parse import parse_pipeline
from embassay.search.stages.lexical import Lexical
from embassay.stores.values import WeightedTexts
from tests.search.fakes import LEXICAL, FakeSnapshot, context


def test_it_asks_for_the_words_and_for_no_model():
    def embed(text, role):
        raise AssertionError("words need no model")

    snapshot = FakeSnapshot()
    made = Lexical(1).run(context(snapshot, embed), Candidates())
    assert list(made.ranking) == LEXICAL[:1] and snapshot.asked == [("lexical", "the query", 1, None)]
    assert not Lexical.dense and not Lexical.needs_model and Lexical.least == 0.0


def test_it_scores_what_other_arms_found():
    snapshot = FakeSnapshot()
    assert Lexical(1).score(context(snapshot), ["a", "d", "c"]).tolist() == [0.0, 4.0, 8.0]
    assert snapshot.asked == [("lexical_scores", "the query", ["a", "d", "c"])]


def test_words_of_titles_count_as_often_as_it_says():
    snapshot, asked = FakeSnapshot(), WeightedTexts({"the query": 1.0}, title=2.5)
    Lexical(1, 2.5).run(context(snapshot), Candidates())
    Lexical(1, 2.5).score(context(snapshot), ["a"])
    assert snapshot.asked == [("lexical", asked, 1, None), ("lexical_scores", asked, ["a"])]


def test_what_another_stage_asks_for_keeps_its_weights():
    snapshot = FakeSnapshot()
    asking = context(snapshot)
    with asking.asking(Sought(WeightedTexts({"key": 1.0, "lock": 0.5}))):
        Lexical(1, 0).run(asking, Candidates())
    assert snapshot.asked[0][1] == WeightedTexts({"key": 1.0, "lock": 0.5}, title=0)


def test_it_is_written_as_it_is_read():
    assert str(Lexical(50)) == "lexical(50)" and str(Lexical(50, 2.0)) == "lexical(50, title=2)"
    text = "dense(100) | lexical(100, title=0.5) >> convex(0.75) >> top(10)"
    assert str(parse_pipeline(text)) == text
    with pytest.raises(UsageError, match=r"title is -1; it must be a number between 0 and 100"):
        Lexical(50, -1)
