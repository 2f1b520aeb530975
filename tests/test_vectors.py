"""Arithmetic on rows of vectors, against numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np

from embassay.space import Space
from embassay.vectors import comparable, cosines, likeness, mean_of_parts, unit_rows

ROWS = np.array([[3, 4], [0, 0], [0, 2]], np.float32)


def test_unit_rows_have_length_1_and_zeros_stay():
    assert unit_rows(ROWS).tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0], [0, 1]]


def test_rows_of_about_length_1_are_left_as_they_are():
    rows = np.array([[1.00005, 0]], np.float32)
    assert unit_rows(rows) is rows


def test_a_space_that_is_normalised_is_taken_at_its_word():
    assert comparable(ROWS, Space("m", "w", 2)) is ROWS
    assert np.allclose(np.linalg.norm(comparable(ROWS, Space("m", "w", 2, normalised=False)), axis=1), [1, 0, 1])


def test_the_length_belongs_to_a_vector_that_is_compared_by_dot_product():
    assert comparable(ROWS, Space("m", "w", 2, normalised=False, similarity="dot")) is ROWS


def test_cosines_are_those_of_rows_at_the_same_place():
    assert cosines(ROWS, np.array([[4, 3], [1, 0], [0, -1]], np.float32)).tolist() == [np.float32(0.96), 0, -1]


def test_vectors_that_are_compared_by_dot_product_are_alike_with_their_lengths():
    made, expected = np.array([[3, 4], [6, 8], [3, 4], [0, 0]], np.float32), np.array([[3, 4]] * 4, np.float32)
    made[2] *= 1.04
    assert np.allclose(likeness(made, expected, "cosine"), [1, 1, 1, 0])
    assert np.allclose(likeness(made, expected, "dot"), [1, 0.5, 1, 0]), "a precision moves lengths a little"


def test_the_mean_of_parts_is_weighted_by_their_tokens():
    parts = np.array([[1, 0], [0, 1], [5, 5]], np.float32)
    made = mean_of_parts(parts, [0, 0, 2], [3, 1, 7], 3, normalised=False)
    assert made.tolist() == [[0.75, 0.25], [0, 0], [5, 5]]


def test_a_mean_of_length_1():
    made = mean_of_parts(np.array([[4, 0], [0, 3]], np.float32), [1, 1], [1, 1], 2, normalised=True)
    assert np.allclose(made, [[0, 0], [0.8, 0.6]])


def test_texts_of_one_part_each_keep_their_vectors():
    assert mean_of_parts(ROWS, range(3), [1, 2, 3], 3, normalised=True) is ROWS
