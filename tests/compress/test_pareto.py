"""What is on the front is not beaten by anything; what is not, is."""

from hypothesis import given
from hypothesis import strategies as st

from embassay.compress.pareto import foremost


def test_equal_ones_are_both_on_it_and_a_dearer_equal_is_not():
    assert foremost([(4, 0.7), (4, 0.7), (8, 0.7), (8, 0.9), (2, 0.1)]) == [True, True, False, True, True]
    assert foremost([]) == []


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=30))
def test_quality_rises_along_the_front(places):
    ahead = sorted({place for place, first in zip(places, foremost(places), strict=True) if first})
    assert ahead, "something is best"
    assert [quality for _, quality in ahead] == sorted({quality for _, quality in ahead})
    assert len({cost for cost, _ in ahead}) == len(ahead)
    for cost, quality in places:
        assert any(theirs >= quality and size <= cost for size, theirs in ahead)
