import pytest

from embassay.errors import UsageError
from embassay.search.stages.dense import Dense
from embassay.search.stages.rrf import Rrf
from tests.search.fakes import DENSE, LEXICAL, arms, found


def test_by_hand():
    assert Rrf(60).fuse(found()) == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 63 + 1 / 61, "d": 1 / 62})


def test_every_arm_counts_alike():
    three = arms(one=(Dense(), DENSE), two=(Dense(), DENSE), three=(Dense(), LEXICAL))
    assert Rrf(0).fuse(three)["c"] == pytest.approx(1 / 3 + 1 / 3 + 1)


def test_its_range():
    assert str(Rrf()) == "rrf(60)"
    with pytest.raises(UsageError, match="rrf: k is -1"):
        Rrf(-1)
