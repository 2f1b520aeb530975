"""Weights of single arms: how arms of a kind share what they count together, and what each counts where ranks are joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import UsageError
from embassay.search.base import Found
from embassay.search.parse import parse_pipeline
from embassay.search.stages.adaptive import Adaptive
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.search.stages.zscore import ZScore
from embassay.stores.values import Scored

NEAR = [Scored("a", 1.0), Scored("b", 0.0)]
FAR = [Scored("b", 1.0), Scored("a", -1.0)]
WORDS = [Scored("c", 4.0), Scored("a", 1.0)]
MISSING = {"c": -1.0}


def lists(near=1.0, far=1.0):
    return {
        "near": Found(Dense(weight=near, label="near"), NEAR, others=MISSING),
        "far": Found(Dense(weight=far, label="far"), FAR, others=MISSING),
        "lexical": Found(Lexical(), WORDS, others={"b": 0.0}),
    }


def test_arms_of_a_kind_share_their_weight_by_their_own():
    """Scaled scores: near gives a 1, b a half and c nothing, far gives b 1, words give c 1 and a a quarter."""
    assert Convex(0.8).fuse(lists(3, 1)) == pytest.approx({"a": 0.65, "b": 0.5, "c": 0.2})
    assert Convex(0.8).fuse(lists()) == pytest.approx({"a": 0.45, "b": 0.6, "c": 0.2})
    assert Convex(0.8).fuse(lists(30, 10)) == pytest.approx(Convex(0.8).fuse(lists(3, 1))), "proportions count"


def test_every_weighted_fusion_knows_them():
    for fusion in (Convex(0.8), ZScore(0.5), Adaptive(0.7)):
        plain, leaning = fusion.fuse(lists()), fusion.fuse(lists(9, 1))
        assert leaning["a"] - leaning["b"] > plain["a"] - plain["b"], f"{fusion}: near puts a first, far b"


def test_ranks_count_the_weight_of_their_arm():
    assert Rrf(60).fuse(lists(2, 1)) == pytest.approx(
        {"a": 2 / 61 + 1 / 62 + 1 / 62, "b": 2 / 62 + 1 / 61, "c": 1 / 61}
    )


@given(st.floats(0.01, 100), st.floats(0, 1))
def test_equal_weights_are_none(weight, dense):
    assert Convex(dense).fuse(lists(weight, weight)) == pytest.approx(Convex(dense).fuse(lists()))


def test_it_prints_as_it_is_read():
    written = 'near=dense(100) | far=dense(50, set="other", weight=0.5) | lexical(100) >> adaptive(0.7) >> top(10)'
    parsed = parse_pipeline(written)
    assert str(parsed) == written and parsed.arms[1] == Dense(50, set="other", weight=0.5, label="far")
    assert np.isclose(parsed.arms[1].weight, 0.5) and parsed.arms[0].weight == 1


@pytest.mark.parametrize(
    ("written", "at", "said"),
    [
        ("dense(9, weight=0) | lexical >> rrf >> top", 17, "expected weight, a number between 0.01 and 100, found '0'"),
        ("dense(9, wieght=2) | lexical >> rrf >> top", 10, "Did you mean 'weight'?"),
        ("lexical | dense(9, weight=2) >> convex >> top", 11, "it is the only arm that compares vectors"),
        ("lexical(9, weight=2) | dense >> zscore >> top", 1, "it is the only arm that does not compare vectors"),
        ("dense(9, weight=2) >> top", 1, "it is the only arm. Leave it out."),
    ],
)
def test_what_says_nothing_is_refused_at_its_place(written, at, said):
    with pytest.raises(UsageError) as refused:
        parse_pipeline(written)
    assert f"cannot be read at character {at}: " in refused.value.message and said in str(refused.value)
    assert parse_pipeline("dense(9, weight=2) | lexical >> rrf >> top").arms[0].weight == 2, "ranks know no kinds"


def test_an_arm_that_is_left_alone_loses_its_weight():
    """What it shared the weight of its kind with could not run."""
    for fusion, left in (("convex(0.5)", "near=dense(9)"), ("rrf(60)", "near=dense(9, weight=2)")):
        whole = parse_pipeline(f'near=dense(9, weight=2) | far=dense(9, set="x") | lexical(9) >> {fusion} >> top(5)')
        assert str(whole.without([whole.arms[1]])) == f"{left} | lexical(9) >> {fusion} >> top(5)"
    assert str(whole.without(whole.arms[1:])) == "near=dense(9) >> top(5)"
