import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.search.blend import blended
from embassay.stores.values import Scored

RANKING = [Scored("a", 4.0), Scored("b", 3.0), Scored("c", 2.0), Scored("d", 1.0)]


def refs(ranking):
    return [one.ref for one in ranking]


def test_by_hand():
    """Old scores -1 and 1 in deviations, new ones 1 and -1: with a weight of 0.75 the sums are -0.5 and 0.5."""
    made = blended([Scored("a", 3.0), Scored("b", 1.0)], {"a": 0.1, "b": 0.2}, 0.75)
    assert refs(made) == ["b", "a"]
    assert [one.score for one in made] == pytest.approx([2.5, 1.5])


def test_weights_at_their_ends():
    new = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    assert refs(blended(RANKING, new, 1)) == list("dcba")
    made = blended(RANKING, new, 0)
    assert refs(made) == list("abcd") and [one.score for one in made] == pytest.approx([4, 3, 2, 1])


def test_who_has_no_new_score_keeps_the_place():
    made = blended(RANKING, {"a": 0.0, "c": 5.0}, 1)
    assert refs(made) == ["c", "b", "a", "d"]


def test_equal_scores_say_nothing():
    assert refs(blended(RANKING, dict.fromkeys("abcd", 0.5), 1)) == list("abcd")
    assert blended(RANKING, {}, 0.5) == RANKING
    assert blended([], {"a": 1.0}, 0.5) == []


@given(
    st.lists(st.floats(-100, 100), max_size=12).map(lambda scores: sorted(scores, reverse=True)),
    st.dictionaries(st.integers(0, 11), st.floats(-5, 5)),
    st.floats(0, 1),
)
def test_nobody_is_lost_and_scores_fall(scores, new, weight):
    ranking = [Scored(at, score) for at, score in enumerate(scores)]
    made = blended(ranking, new, weight)
    assert sorted(refs(made)) == [*range(len(ranking))]
    assert all(np.isfinite(one.score) for one in made)
    assert all(one.score >= two.score for one, two in itertools.pairwise(made))
    for place, one in enumerate(ranking):
        if one.ref not in new:
            assert made[place].ref == one.ref
