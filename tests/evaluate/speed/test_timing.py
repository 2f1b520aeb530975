"""Samples that are timed."""

from embassay.evaluate.speed.timing import spaced


def test_spaced():
    assert spaced(list(range(10)), 3) == [0, 4, 8] and spaced([1, 2], 5) == [1, 2] and spaced([], 3) == []
    assert spaced(list(range(100)), 100) == list(range(100))
