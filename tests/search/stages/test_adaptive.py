import math

import pytest

from embassay.errors import UsageError
from embassay.search.run import run
from embassay.search.stages.adaptive import HIGHEST, Adaptive
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.top import Top
from embassay.stores.values import Scored
from tests.search.fakes import FakeSnapshot, arms, context, found

CANDIDATES = 150
DENSE = [Scored(at, 0.9 - at / 1000) for at in range(CANDIDATES)]


def peaked(height):
    """Scores of words with one best candidate among others that alternate, so that the peak can be told by hand."""
    return [Scored(CANDIDATES - 1, height), *(Scored(at, 1.0 + at % 2) for at in range(CANDIDATES - 1))]


def peak(scored):
    scores = [one.score for one in scored]
    mean = sum(scores) / len(scores)
    return (max(scores) - mean) / math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))


def weight(dense, lexical, stage=None):
    return (stage or Adaptive()).weight(found(dense[:100], lexical[:100]))


@pytest.mark.parametrize("height", [3.0, 5.0, 9.0, 40.0])
def test_the_weight_by_hand(height):
    words = peaked(height)[:100]
    thirtieth = 2.0  # half of the others have it
    expected = 0.7 - 0.25 * math.log(peak(words) * (150 / 100) ** 0.25 / 5) + max(0.0, thirtieth / height - 0.55)
    lists = arms(dense=(Dense(), [Scored(one.ref, 0.5) for one in words]), lexical=(Lexical(), words))
    assert Adaptive().weight(lists) == pytest.approx(min(HIGHEST, expected))
    assert Adaptive().fuse(lists) == pytest.approx(Convex(min(HIGHEST, expected)).fuse(lists))


def test_the_more_words_single_out_a_hit_the_more_they_count():
    weights = [weight(DENSE, peaked(height)) for height in (2.5, 4, 8, 16)]
    assert weights == sorted(weights, reverse=True) and len(set(weights)) == 4


def test_words_that_many_share_about_equally_count_less():
    """The peak is the same, because it knows no scale; how far the thirtieth falls behind the best is not."""
    high, low = ([Scored(at, base + (at == 0) * 3 + at % 2) for at in range(99)] for base in (9.0, 1.0))
    high.sort(key=lambda one: -one.score), low.sort(key=lambda one: -one.score)
    assert peak(high) == pytest.approx(peak(low))
    dense = [Scored(one.ref, 0.5) for one in high]
    flat, steep = (Adaptive().weight(found(dense, words)) for words in (high, low))
    assert flat == pytest.approx(min(HIGHEST, steep + 10 / 12 - 0.55)) and steep < 0.8
    few = [Scored(at, 9.0 + (at == 0) * 3 + at % 2) for at in range(29)]
    few.sort(key=lambda one: -one.score)
    alone = Adaptive().weight(found([Scored(one.ref, 0.5) for one in few], few))
    assert alone == pytest.approx(0.7 - 0.25 * math.log(peak(few) * (150 / 29) ** 0.25 / 5)), "too few to tell"
    assert Adaptive(slope=0.0).weight(found(dense, high)) == 0.7


def test_words_that_tell_nothing_apart_leave_it_to_vectors():
    alike = [Scored(at, 2.0) for at in range(10)]
    assert weight(DENSE, alike) == weight(DENSE, []) + HIGHEST - 0.7 == HIGHEST
    assert weight(DENSE, [], Adaptive(0.4)) == 0.4, "there is nothing to weigh them against"
    assert Adaptive().fuse(found([], [])) == {}


def test_how_deep_arms_look_hardly_moves_the_weight():
    """One candidate of a hundred shares the words: by shorter lists as by longer ones."""
    words = [Scored(0, 9.0), *(Scored(at, 1 + 1 / at) for at in range(1, 100))]
    weights = [
        Adaptive().weight(found([Scored(-at, 0.5) for at in range(depth)], words[:depth])) for depth in (10, 50, 100)
    ]
    assert max(weights) - min(weights) < 0.2
    assert weight(DENSE, words) == Adaptive().weight(found(DENSE[:100], words)), "no more than 100 of a list count"


def test_a_search_completes_both_lists_first():
    chosen = (Dense(2) | Lexical(2)) >> Adaptive() >> Top(9)
    ranked = run(chosen, context(snapshot := FakeSnapshot()))
    assert [made[0] for made in snapshot.asked] == ["dense", "lexical", "dense_scores", "lexical_scores"]
    assert {hit.chunk.key for hit in ranked.hits} == set("abcd")
    run((Dense(2) | Lexical(2)) >> Adaptive(complete=False) >> Top(9), context(snapshot := FakeSnapshot()))
    assert [made[0] for made in snapshot.asked] == ["dense", "lexical"]


@pytest.mark.parametrize(("given", "said"), [({"dense": 1.1}, "dense is 1.1"), ({"slope": -1}, "slope is -1")])
def test_arguments_have_ranges(given, said):
    with pytest.raises(UsageError, match=f"adaptive: {said}; it must be a number between 0 and"):
        Adaptive(**given)
