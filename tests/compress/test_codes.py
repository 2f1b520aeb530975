"""What every code promises: the bytes that it says, and products near the exact ones."""

import numpy as np
import pytest

from embassay.compress.codes import all_codes
from embassay.errors import UsageError
from embassay.vectors import unit_rows

NEAR = {"float32": 1e-6, "float16": 1e-3, "int8": 5e-3, "int8-dimension": 5e-3}
"""By how much a product of unit rows may be off."""


@pytest.fixture(scope="module")
def rows():
    """Rows in clusters, as vectors of texts are, of lengths 1."""
    made = np.random.default_rng(7)
    centres = made.standard_normal((40, 64))
    return unit_rows((centres[made.integers(0, 40, 900)] + made.standard_normal((900, 64))).astype(np.float32))


@pytest.mark.parametrize("name", all_codes())
def test_a_vector_takes_the_bytes_that_are_said(name, rows):
    code = all_codes()[name]
    packed = code.fit(rows).pack(rows)
    assert len(packed) == len(rows) and packed.nbytes == len(rows) * code.size(rows.shape[1])
    assert code.fit(rows[:, :61]).pack(rows[:, :61]).nbytes == len(rows) * code.size(61), "of odd dimensions too"


@pytest.mark.parametrize("name", NEAR)
def test_products_are_near_the_exact_ones(name, rows):
    coding = all_codes()[name].fit(rows)
    assert np.abs(coding.products(coding.pack(rows), rows[:5]) - rows @ rows[:5].T).max() < NEAR[name]


@pytest.mark.parametrize("name", all_codes())
def test_the_timed_scan_orders_as_the_products_do(name, rows):
    coding = all_codes()[name].fit(rows)
    packed = coding.pack(rows)
    by_products = coding.products(packed, rows[3:4])[:, 0].argsort()[-10:]
    by_scan = coding.scan(packed, rows[3]).argsort()[-10:]
    assert len({*by_products.tolist()} & {*by_scan.tolist()}) >= 9


@pytest.mark.parametrize("name", all_codes())
def test_most_of_the_nearest_are_found(name, rows):
    coding = all_codes()[name].fit(rows)
    found = coding.products(coding.pack(rows), rows[:50]).T.argsort(axis=1)[:, -10:]
    exact = (rows[:50] @ rows.T).argsort(axis=1)[:, -10:]
    shared = [len({*a.tolist()} & {*b.tolist()}) for a, b in zip(found, exact, strict=True)]
    assert sum(shared) / 500 > 0.5, "a row drawn by chance is one of them in 1 of 90 cases"


def test_one_range_for_all_ranks_rows_of_a_greater_sum_higher():
    """What guides leave out: the least number, which was taken away, is in every product."""
    row = np.zeros((2, 100), np.float32)
    row[0, :50], row[1] = 0.1, [0.1] * 49 + [0.0] + [0.05] * 50
    query = row[:1] * 1
    coding = all_codes()["int8-global"].fit(np.concatenate([row, -row]))
    assert coding.products(coding.pack(row), query)[0] == pytest.approx(1)
    exact = unit_rows(row) @ unit_rows(query).T
    theirs = coding.products(coding.pack(row), query)
    assert theirs[1] - exact[1] > 0.05, "rows seem nearer than they are"


def test_rows_of_zeros_stay_where_they_are(rows):
    zeros = np.zeros((3, rows.shape[1]), np.float32)
    for name in NEAR:
        coding = all_codes()[name].fit(rows)
        assert np.abs(coding.products(coding.pack(zeros), rows[:2])).max() == 0, name


def test_product_quantisation_needs_rows(rows):
    with pytest.raises(UsageError, match="256 vectors or more; here are 100"):
        all_codes()["pq"].fit(rows[:100])
