from embassay.search.base import Candidates
from embassay.search.stages.lexical import Lexical
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
