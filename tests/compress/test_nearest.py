"""The nearest rows of blocks are those of the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embassay.compress.nearest import NearestRows, recall


@given(st.data())
def test_blocks_give_what_the_whole_gives(data):
    queries, depth = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 12))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    made = np.random.default_rng(data.draw(st.integers(0, 99)))
    scores = made.permutation(sum(sizes) * queries).reshape(-1, queries).astype(np.float32)
    exact = made.permutation(scores.size).reshape(scores.shape).astype(np.float32)
    nearest, first = NearestRows(queries, depth), 0
    for size in sizes:
        nearest.add(scores[first : first + size], exact[first : first + size], first)
        first += size
    rows, theirs = nearest.ranked(rescored=False)
    assert (rows == np.argsort(-scores.T, axis=1)[:, :depth]).all()
    assert (theirs == np.take_along_axis(exact.T, rows, axis=1)).all()
    ordered, theirs = nearest.ranked(rescored=True)
    assert (np.sort(ordered) == np.sort(rows)).all(), "the same rows in another order"
    assert (np.diff(theirs, axis=1) <= 0).all()


def test_ties_are_broken_by_row():
    nearest = NearestRows(1, 4)
    nearest.add(np.ones((4, 1), np.float32), np.ones((4, 1), np.float32), 0)
    assert nearest.ranked(rescored=False)[0].tolist() == [[0, 1, 2, 3]]


def test_recall_counts_rows_that_are_as_near():
    best = np.array([[0.9, 0.8, 0.8, 0.1]], np.float32)
    assert recall(np.array([[0.8, 0.9]], np.float32), best, 2)[0] == 1
    assert recall(np.array([[0.9, 0.1]], np.float32), best, 2)[0] == 0.5
    assert recall(np.array([[0.9]], np.float32), best[:, :1], 10)[0] == 1, "of a set of one row"
