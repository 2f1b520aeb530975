import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.words import near
from embassay.words.near import ENDING, most_slips, near_terms, slips

words = st.text("abcde", min_size=1, max_size=12)


def test_the_examples_hold():
    assert doctest.testmod(near).failed == 0


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("", "", 0),
        ("", "ab", 2),
        ("ab", "ba", 1),
        ("abc", "ac", 1),
        ("abc", "acb", 1),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_slips_are_counted_as_by_hand(one, other, count):
    """``ca`` and ``abc`` are 3 apart by the optimal string alignment, which changes no part twice."""
    assert slips(one, other) == count == slips(other, one)


@given(words, st.lists(words, unique=True, max_size=30), st.integers(1, 40))
def test_all_terms_are_found_that_lie_as_near_as_is_allowed(word, terms, most):
    """The fast way, which compares all terms at once, finds what comparing one after the other does."""
    vocabulary = {term: len(terms) - at for at, term in enumerate(terms)}
    allowed = most_slips(len(word))

    def place(term):
        whole = slips(term, word)
        places = [whole * (ENDING + 1)] if whole <= allowed else []
        for behind in range(1, min(ENDING, len(word) - 2) + 1):
            count = slips(term, word[:-behind])
            if count < allowed:
                places.append(count * (ENDING + 1) + behind)
        return min(places, default=None)

    low = max(2, len(word) - ENDING - allowed)
    near = [term for term in terms if allowed and low <= len(term) and place(term) is not None]
    expected = sorted(near, key=lambda term: (place(term), -vocabulary[term], term))[:most]
    assert near_terms(word, word, vocabulary, most) == expected


def test_a_term_is_near_by_its_stem_or_by_all_but_the_ending():
    vocabulary = {"happi": 3, "inhibit": 2, "receiv": 1, "4711x": 9, "studi": 5}
    assert near_terms("hapy", "hapi", vocabulary, 5) == ["happi"]
    assert near_terms("inhibitoin", "inhibitoin", vocabulary, 5) == ["inhibit"]
    assert near_terms("recieve", "reciev", vocabulary, 5) == ["receiv"]
    assert near_terms("4711y", "4711y", vocabulary, 5) == []


def test_of_terms_that_are_as_near_the_frequent_one_comes_first():
    assert near_terms("lofe", "lofe", {"life": 2, "love": 5, "lose": 7}, 5) == ["lose", "love", "life"]
