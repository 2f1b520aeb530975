"""Rank-biased overlap against its definition as an infinite sum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.evaluate.judge.label.overlap import rank_biased_overlap

LISTS = st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True)


def by_definition(a, b, p=0.9):
    """Of two lists of one length, that go on to agree as far as they did: the sum, far beyond their ends."""
    agreed = len(set(a) & set(b)) / len(a)
    agreements = [len(set(a[:d]) & set(b[:d])) / d for d in range(1, len(a) + 1)]
    return (1 - p) * sum(p**at * (agreements[at] if at < len(a) else agreed) for at in range(2_000))


@given(LISTS, LISTS)
def test_it_is_the_sum_of_the_definition(a, b):
    size = min(len(a), len(b))
    if size:
        assert rank_biased_overlap(a[:size], b[:size]) == pytest.approx(by_definition(a[:size], b[:size]))


@given(LISTS, LISTS)
def test_bounds_and_symmetry(a, b):
    found = rank_biased_overlap(a, b)
    assert -1e-9 <= found <= 1 + 1e-9 and found == pytest.approx(rank_biased_overlap(b, a))


def test_ends():
    assert rank_biased_overlap("abc", "abc") == pytest.approx(1) and rank_biased_overlap("abc", "xyz") == 0
    assert rank_biased_overlap([], []) == 1 and rank_biased_overlap([], "a") == 0
    assert rank_biased_overlap("abcd", "bacd") > rank_biased_overlap("abcd", "dbca"), "the first places count most"
    assert rank_biased_overlap("abc", "abcdef") == pytest.approx(1), "as far as was seen, they agree"
