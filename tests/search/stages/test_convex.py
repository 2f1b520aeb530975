import pytest

from embassay.errors import UsageError
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.stores.values import Scored
from tests.search.fakes import arms, found


def test_by_hand():
    """Dense scaled from -1 to 0.9, BM25 from 0 to 8; who is missing gets the lowest score of that list."""
    dense = {"a": 1.0, "b": 1.5 / 1.9, "c": 1.1 / 1.9, "d": 1.1 / 1.9}
    lexical = {"a": 0.5, "b": 0.5, "c": 1.0, "d": 0.5}
    expected = {ref: 0.75 * dense[ref] + 0.25 * lexical[ref] for ref in "abcd"}
    assert Convex(0.75).fuse(found()) == pytest.approx(expected)


def test_three_arms_share_the_weight():
    """Two dense arms have half of the dense weight each; a label says nothing of what an arm is."""
    three = arms(
        fine=(Dense(), [Scored("a", 1.0), Scored("b", 0.0)]),
        coarse=(Dense(), [Scored("b", 1.0), Scored("a", 0.0)]),
        dense=(Lexical(), [Scored("a", 4.0), Scored("b", 1.0)]),
    )
    assert Convex(0.8).fuse(three) == pytest.approx(
        {"a": 0.4 * 1 + 0.4 * 0.5 + 0.2 * 1, "b": 0.4 * 0.5 + 0.4 * 1 + 0.2 * 0.25}
    )


def test_two_lexical_arms_share_the_rest():
    three = arms(
        dense=(Dense(), [Scored("a", 1.0)]), x=(Lexical(), [Scored("a", 2.0)]), y=(Lexical(), [Scored("b", 2.0)])
    )
    assert Convex(0.5).fuse(three)["a"] == pytest.approx(0.5 + 0.25 + 0.25)


def test_an_arm_that_found_nothing_changes_no_weight():
    assert Convex(0.75).fuse(found(lexical=[]))["a"] == 0.75
    assert Convex(0.75).fuse(found([], [])) == {}


def test_equal_scores_of_the_least():
    assert Convex(0.5).fuse(found([Scored("a", -1.0)], [Scored("b", 0.0)])) == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize("weight", [-0.1, 1.01, float("nan"), float("inf"), "half"])
def test_a_weight_is_a_share(weight):
    with pytest.raises(UsageError, match=r"convex: dense is .* between 0 and 1"):
        Convex(weight)
