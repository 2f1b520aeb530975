"""One half chooses, the other one tells."""

import random

import pytest

from embassay.compress.choosing import halves, losses, propose
from embassay.compress.codes import all_codes
from embassay.compress.measuring import SearchedScheme
from embassay.compress.schemes import Reduction, Scheme

QUERIES = [f"q{at}" for at in range(400)]
WHOLE = Reduction("", 100, lambda vectors: vectors, {})


def searched(name, size, score, unkept=""):
    """A scheme of so many bytes, with `score` of each query."""
    scores = {query: {"nDCG@10": score(query)} for query in QUERIES}
    scheme = Scheme(name, WHOLE, all_codes()["int8"], size, unkept)
    return SearchedScheme(scheme, 1.0, 1.0, scores, scores, 0.0)


def dice(seed, low, high):
    made = random.Random(seed)
    values = {query: made.uniform(low, high) for query in QUERIES}
    return values.__getitem__


STORED = searched("float32", 400, lambda _: 0.7)


def test_halves_do_not_depend_on_the_order():
    first, second = halves(QUERIES)
    assert len(first) == len(second) == 200 and not {*first} & {*second}
    assert halves(reversed(QUERIES)) == (first, second)


def test_the_smallest_that_loses_little():
    rows = [
        STORED,
        searched("int8", 100, dice(1, 0.69, 0.71)),
        searched("pca", 50, dice(2, 0.68, 0.71)),
        searched("bits", 13, dice(3, 0.5, 0.7)),
    ]
    found = propose(rows, "nDCG@10", 0.01)
    assert found.scheme == "pca" and not found.refused
    assert found.held_out.queries == 200 and found.held_out.low < found.held_out.mean < found.held_out.high < 0.01
    assert propose(rows, "nDCG@10", 0.2).scheme == "bits"
    assert propose(rows, "nDCG@10", 0.0001, sure=True) is None, "what seems to lose nothing may lose a little"


def test_what_no_store_keeps_is_not_proposed():
    rows = [STORED, searched("int8", 100, dice(1, 0.69, 0.71)), searched("pq", 25, lambda _: 0.7, "no store keeps it")]
    assert propose(rows, "nDCG@10", 0.01).scheme == "int8"
    assert propose([STORED], "nDCG@10", 0.01) is None


def test_what_holds_on_the_half_that_chose_alone():
    first, _ = halves(QUERIES)
    lucky = searched("lucky", 13, lambda query: 0.7 if query in first else 0.6)
    found = propose([STORED, searched("int8", 100, dice(1, 0.69, 0.71)), lucky], "nDCG@10", 0.01)
    assert found.scheme == "int8" and found.refused == ("lucky",)


def test_the_order_of_rows_does_not_matter():
    rows = [searched("int8", 100, dice(1, 0.69, 0.71)), searched("pca", 50, dice(2, 0.68, 0.71))]
    assert propose([STORED, *rows], "nDCG@10", 0.01) == propose([STORED, *rows[::-1]], "nDCG@10", 0.01)


@pytest.mark.parametrize(("spread", "queries", "least", "most"), [(0.3, 400, 0.01, 0.015), (0.3, 40, 0.03, 0.055)])
def test_what_so_few_queries_can_show(spread, queries, least, most):
    noisy = searched("pca", 50, dice(5, 0.7 - spread / 2, 0.7 + spread / 2))
    (loss,) = losses(STORED, [noisy], "nDCG@10", QUERIES[:queries])
    assert least < loss.resolves < most


def test_queries_that_do_not_differ_rule_out_only_so_much():
    (loss,) = losses(STORED, [searched("int8", 100, lambda _: 0.7)], "nDCG@10", QUERIES[:60])
    assert loss.mean == 0 and loss.resolves == pytest.approx(3 / 60)
