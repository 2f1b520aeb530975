"""Late interaction against sums that are worked out by hand."""

import math

import numpy as np
import pytest

from embassay.engine.token_states import TokenStates
from embassay.search.late import late_scores
from embassay.stores.tokens.codes import NEIGHBOURS, pack

WIDTH = 2048
RNG = np.random.default_rng(5)
X, Y = np.linalg.qr(RNG.normal(size=(WIDTH, 2)))[0].T.astype(np.float32)
D = 0.6 * X + 0.8 * Y


def states(*tokens):
    """Tokens as (id, vector)."""
    vectors = np.array([vector for _, vector in tokens], np.float32).reshape(len(tokens), WIDTH)
    return TokenStates(np.array([name for name, _ in tokens], np.int32), vectors)


def packed(*tokens):
    """Tokens of a text, each of which has a code of its own."""
    whole = states(*(token for token in tokens for _ in range(NEIGHBOURS)))
    return pack(whole.ids, whole.vectors)


def test_the_greatest_cosine_of_each_token_is_weighted_by_its_rarity():
    """The sum under the signs of a vector is its cosine times the square root of 2/pi, nearly."""
    texts = {"one": packed((7, X), (9, D)), "two": packed((7, Y)), "three": packed((5, D))}
    made = late_scores(states((7, X), (9, Y)), texts)
    common, rare = math.log1p(1.5 / 2.5), math.log1p(2.5 / 1.5)  # in two of three texts, and in one
    for name, first, second in (("one", 1.0, 0.8), ("two", 0.0, 1.0), ("three", 0.6, 0.8)):
        cosine = (common * first + rare * second) / (common + rare)
        assert made[name] == pytest.approx(cosine * math.sqrt(2 / math.pi), abs=0.04), name


def test_where_there_are_no_tokens_there_is_no_score():
    assert late_scores(states(), {"one": packed((7, X))}) == {}
    assert late_scores(states((7, X)), {}) == {}
    assert [*late_scores(states((7, X)), {"one": packed(), "two": packed((7, X))})] == ["two"]
