import pytest

from embassay.seals import seal


def test_a_seal_is_that_of_its_columns():
    assert seal(1, "name", b"\0\1", None) == seal(1, "name", b"\0\1", None)
    assert len(seal()) == 16


@pytest.mark.parametrize(
    "other", [(2, "ab"), (1, "abc"), ("ab", 1), ("1", "ab"), (1, b"ab"), (1, "a", "b"), (1, "ab", None), (1, "a\ud800")]
)
def test_any_change_of_a_column_makes_another_seal(other):
    assert seal(*other) != seal(1, "ab")
