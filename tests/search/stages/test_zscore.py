import pytest

from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.zscore import ZScore
from embassay.stores.values import Scored
from tests.search.fakes import arms, found


def test_by_hand():
    fused = ZScore(0.5).fuse(found([Scored("a", 1.0), Scored("b", 0.0)], [Scored("b", 3.0), Scored("c", 1.0)]))
    assert fused == pytest.approx({"a": 0.5 * 1 - 0.5, "b": 0.5 * -1 + 0.5, "c": 0.5 * -1 - 0.5})


def test_equal_scores_do_not_stand_out():
    assert ZScore().fuse(found([Scored("a", 0.3), Scored("b", 0.3)], [])) == {"a": 0.0, "b": 0.0}


def test_three_arms_share_the_weight():
    pair = [Scored("a", 1.0), Scored("b", 0.0)]
    three = arms(one=(Dense(), pair), two=(Dense(), pair), words=(Lexical(), pair[::-1]))
    assert ZScore(0.6).fuse(three)["a"] == pytest.approx(1.0), "0.3 + 0.3 + 0.4 times one deviation"
