import numpy as np
import pytest

from embassay.stores.tokens.codes import NEIGHBOURS, bytes_of, cosines, pack, rotation, signs
from embassay.vectors import unit_rows

RNG = np.random.default_rng(11)


def some(tokens, width=384):
    return unit_rows(RNG.normal(size=(tokens, width)).astype(np.float32))


@pytest.mark.parametrize("width", [1, 32, 100, 312, 384, 768])
def test_a_rotation_keeps_products(width):
    np.testing.assert_allclose(rotation(width) @ rotation(width).T, np.eye(width), atol=1e-5)


def test_a_rotation_spreads_what_stands_in_one_number():
    turned = rotation(384)
    assert np.abs(turned).max() < 0.3


def test_products_under_signs_are_nearly_cosines():
    """Sharper the more dimensions there are: the error of 384 signs is about 0.6 / sqrt(384)."""
    texts, query = some(200), some(5)
    query[0] = texts[0] * 0.9 + texts[1] * 0.1
    codes = pack(np.arange(200, dtype=np.int32), np.repeat(texts, NEIGHBOURS, axis=0)).codes
    made = cosines(query, codes) / np.sqrt(2 / np.pi)
    assert np.abs(made - query @ texts.T).std() < 0.05
    assert made[0].argmax() == 0


def test_neighbours_share_a_code_and_the_last_may_be_alone():
    texts = some(2 * NEIGHBOURS + 1)
    made = pack(np.array([5, 3, 5, 4, 3][: len(texts)], np.int32), texts)
    assert made.codes.shape == (3, 48) and made.ids.tolist() == [3, 4, 5]
    alone = pack(np.array([1], np.int32), texts[-1:])
    np.testing.assert_array_equal(made.codes[2], alone.codes[0])
    mean = texts[:NEIGHBOURS].mean(axis=0, keepdims=True)
    np.testing.assert_array_equal(made.codes[0], pack(np.array([1], np.int32), mean).codes[0])


def test_no_tokens_and_widths_that_are_no_bytes():
    nothing = pack(np.empty(0, np.int32), np.empty((0, 100), np.float32))
    assert nothing.codes.shape == (0, bytes_of(100)) and not len(nothing.ids)
    one = pack(np.array([1], np.int32), some(1, 100))
    assert signs(one.codes).shape == (1, 104)
    assert cosines(some(2, 100), one.codes).shape == (2, 1) and cosines(some(2, 100), one.codes[:0]).shape == (2, 0)
    assert one.is_of(100) and not one.is_of(384) and not nothing.is_of(100)


def test_bits_are_read_as_they_are_written():
    codes = RNG.integers(0, 256, size=(7, 5), dtype=np.uint8)
    np.testing.assert_array_equal(np.packbits(signs(codes) > 0, axis=1), codes)
    assert set(np.unique(signs(codes))) == {-1, 1}


def test_products_are_those_of_the_numbers_under_the_signs():
    query, codes = some(30), RNG.integers(0, 256, size=(50, 48), dtype=np.uint8)
    exact = (query @ rotation(384) / np.sqrt(384)) @ signs(codes).astype(np.float32).T
    np.testing.assert_allclose(cosines(query, codes), exact, atol=0.002)
