"""How far the queries of a set are off: by what their makers declare, in proportion."""

import pytest

from embassay import plugins
from embassay.evaluate.compare.bias import FAIR, MAKERS, UNKNOWN, bias_of, reversed_bias


@pytest.mark.parametrize("maker", plugins.names(MAKERS))
def test_every_maker_says_how_far_it_is_off(maker):
    low, high = plugins.load(MAKERS, maker).BIAS
    assert -0.5 < low <= high < 0.5
    assert bias_of({maker: 7}) == pytest.approx((low, high))


def test_questions_of_people_take_their_share_of_it_away():
    low, high = bias_of({"heading": 30})
    assert bias_of({"heading": 30, "label": 90}) == pytest.approx((low / 4, high / 4))
    assert bias_of({"label": 5, "log": 5}) == FAIR


def test_a_maker_that_nobody_knows_may_be_off_either_way():
    assert bias_of({"llm": 3}) == bias_of({"made by somebody": 3}) == UNKNOWN


def test_seen_from_the_other_side():
    assert reversed_bias((-0.05, 0.12)) == (-0.12, 0.05)
    assert reversed_bias(reversed_bias((0.0, 0.16))) == (0.0, 0.16)
