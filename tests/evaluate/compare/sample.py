"""Names and texts that the tests of comparisons share."""

import random

WORSE, BETTER = "hash/64", "hash/64@lexical"
"""Vectors of the hash provider know nothing of words, BM25 does."""


def words_of(n, count=30):
    return random.Random(n).sample([f"word{at}" for at in range(400)], count)
