import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.words import near as module
from embassay.words.near import ENDING, LONGEST, TermCounts, most_slips, near_terms, slips

words = st.text("abcde", min_size=1, max_size=12)


def test_the_examples_hold():
    assert doctest.testmod(module).failed == 0


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
    found = near_terms(word, word, vocabulary, most)
    assert [term for term, _ in found] == expected
    assert all(count == place(term) // (ENDING + 1) for term, count in found)
    assert near_terms(word, word, TermCounts(vocabulary), most) == found


def near(word, stem, vocabulary):
    return [term for term, _ in near_terms(word, stem, vocabulary, 5)]


def test_a_term_is_near_by_its_stem_or_by_all_but_the_ending():
    vocabulary = {"happi": 3, "inhibit": 2, "receiv": 1, "4711x": 9, "studi": 5, "sus": 9}
    assert near("hapy", "hapi", vocabulary) == ["happi"]
    assert near("inhibitoin", "inhibitoin", vocabulary) == ["inhibit"]
    assert near("recieve", "reciev", vocabulary) == ["receiv"]
    assert near("4711y", "4711y", vocabulary) == []
    assert near("puso", "pus", vocabulary) == [], "a stem of three letters has no slips"


def test_of_terms_that_are_as_near_the_frequent_one_comes_first():
    assert near("lofe", "lofe", {"life": 2, "love": 5, "lose": 7}) == ["lose", "love", "life"]


def test_terms_of_other_planes_and_of_any_length():
    letters = "\U00010400\U00010401\U00010402\U00010403"
    assert near(letters, letters, {letters[::-1]: 1, letters[:3]: 1, "x" * 500: 1}) == [letters[:3]]
    long = "a" * LONGEST
    assert near(long, long, {"b" + long + "b": 1, long + "bbb": 1}) == ["b" + long + "b"]
    assert near("a" * (LONGEST + 1), "a", {"a" * LONGEST: 1}) == []
    assert near("word", "word", {}) == []
