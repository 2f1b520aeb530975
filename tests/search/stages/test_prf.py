import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.search.base import Candidates, Found
from embassay.search.modes import pipeline, refined
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.prf import Prf
from embassay.stores.values import WeightedTexts
from tests.search.stored import on, opened, row
from tests.search.test_diversity import turned

TEXTS = ["jaguar habitat forest forest", "jaguar forest river", "forest river fish", "motor engine"]


def searched(text, query="jaguar", **options):
    with opened([row(at, one) for at, one in enumerate(TEXTS)], [turned(a) for a in (0, 20, 40, 90)]) as version:
        return run(parse_pipeline(text), on(version, query, **options))


def keys(found):
    return [hit.chunk.key for hit in found.hits]


def test_words_of_the_first_hits_find_what_has_no_word_of_the_query():
    assert keys(searched("lexical(10) >> top(10)")) == ["key-1", "key-0"]
    found = searched("lexical(10) >> prf(2, terms=3) >> top(10)")
    assert set(keys(found)) == {"key-0", "key-1", "key-2"}, "the engine has nothing in common with the others"
    assert found.hits[-1].chunk.key == "key-2", "it has no word of the query"


def test_the_weights_are_those_of_rm3():
    """By hand: jaguar 1/4 and 1/3, forest 2/4 and 1/3, habitat 1/4, river 1/3 of the two hits, half each."""
    asked = {}

    class Writing(Lexical):
        def run(self, context, candidates):
            asked["words"] = context.words
            return super().run(context, candidates)

    with opened([row(at, one) for at, one in enumerate(TEXTS)], [turned(at) for at in range(4)]) as version:
        arm = Writing(10, label="words")
        first = arm.run(on(version, "jaguar"), Candidates())
        candidates = Candidates({"words": Found(arm, first.ranking)}, first.ranking)
        Prf(2, terms=2, weight=0.75).run(on(version, "jaguar"), candidates)
    shares = {"forest": (2 / 4 + 1 / 3) / 2, "jaguar": (1 / 4 + 1 / 3) / 2}
    scale = (0.25 / 0.75) / sum(shares.values())
    assert isinstance(asked["words"], WeightedTexts)
    expected = {"jaguar": 1 + shares["jaguar"] * scale, "forest": shares["forest"] * scale}
    assert asked["words"].weights == pytest.approx(expected, rel=0.02), "the first two hits count nearly the same"


def test_the_vector_moves_towards_the_hits():
    before = searched("dense(10) >> top(10)")
    after = searched("dense(10) >> prf(2, beta=1) >> top(10)")
    moved = turned(0) + (turned(0) + turned(20)) / 2
    moved /= np.linalg.norm(moved)
    expected = [float(moved @ turned(a)) for a in (0, 20, 40, 90)]
    assert sorted((hit.score for hit in after.hits), reverse=True) == pytest.approx(sorted(expected, reverse=True))
    assert after.hits[-1].score > before.hits[-1].score


def test_arms_that_are_joined_share_the_feedback_and_the_order_prints():
    written = "dense(10) | lexical(10) >> prf(2) >> convex(0.75) >> top(3)"
    found = searched(written)
    assert str(found.pipeline) == written and set(found.hits[0].arms) == {"dense", "lexical"}
    assert [step.stage for step in found.trace.steps][:4] == ["dense(10)", "lexical(10)", "prf(2)", "convex(0.75)"]


@pytest.mark.parametrize("text", ["lexical(10) >> prf(2, weight=1) >> top", "dense(10) >> prf(2, beta=0) >> top"])
def test_feedback_that_weighs_nothing_changes_nothing(text):
    plain = searched(text.replace(text.split(" >> ")[1] + " >> ", ""))
    assert [(h.chunk.key, h.score) for h in searched(text).hits] == [(h.chunk.key, h.score) for h in plain.hits]


def test_nothing_found_is_nothing_to_learn_from():
    assert searched("lexical(10) >> prf(2) >> top", "zebra").hits == []


def test_it_stands_before_the_stages_that_order_or_join():
    for text in ("dense | lexical >> convex >> prf >> top", "dense >> group >> prf >> top"):
        with pytest.raises(UsageError, match=r"prf\(10\) asks the arms again: it stands before the stages that order"):
            parse_pipeline(text)
    assert str(refined(pipeline(), expand="prf").stages[0]) == "prf(10)"
    assert isinstance(refined(pipeline(), expand=["prf"]).arms[0], Dense)
    with pytest.raises(UsageError, match=r"expand: 'rm3' is not one of .*prf"):
        refined(pipeline(), expand="rm3")
