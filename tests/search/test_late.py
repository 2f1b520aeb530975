"""Late interaction against sums that are worked out by hand."""

import math

import numpy as np
import pytest

from embassay.engine.token_states import TokenStates
from embassay.search.late import late_scores

X, Y, D = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]


def states(*tokens):
    """Tokens as (id, vector)."""
    vectors = np.array([vector for _, vector in tokens], np.float32).reshape(len(tokens), 2)
    return TokenStates(np.array([name for name, _ in tokens], np.int32), vectors)


def test_the_greatest_cosine_of_each_token_is_weighted_by_its_rarity():
    texts = {"one": states((7, X), (9, D)), "two": states((7, Y)), "three": states((5, D))}
    made = late_scores(states((7, X), (9, Y)), texts)
    common, rare = math.log1p(1.5 / 2.5), math.log1p(2.5 / 1.5)  # in two of three texts, and in one
    for name, first, second in (("one", 1.0, 0.8), ("two", 0.0, 1.0), ("three", 0.6, 0.8)):
        assert made[name] == pytest.approx((common * first + rare * second) / (common + rare)), name


def test_where_there_are_no_tokens_there_is_no_score():
    nothing = TokenStates(np.empty(0, np.int32), np.empty((0, 2), np.float32))
    assert late_scores(nothing, {"one": states((7, X))}) == {}
    assert late_scores(states((7, X)), {}) == {}
    assert [*late_scores(states((7, X)), {"one": nothing, "two": states((7, X))})] == ["two"]
