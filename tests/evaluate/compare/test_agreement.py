"""Two sets over queries that nobody has judged."""

import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.opening import compare_sets
from tests.evaluate.compare.sample import WORSE, words_of


def test_sets_without_judgments(indexed):
    queries = [" ".join(words_of(n)[:3]) for n in range(25)]
    same = compare_sets("small@lexical", "large@lexical", queries)
    assert same.overlap == 1.0 and same.same_first == 1.0 and same.differing == []
    found = compare_sets("small", "large", queries)
    assert 0 < found.overlap < 1 and found.differing[0].overlap <= found.differing[-1].overlap
    data = found.to_dict()
    assert data["verdict"] == "undecided" and data["pairs"] == [] and data["winner"] is None
    with pytest.raises(UsageError, match="'hash/64' is no set"):
        compare_sets("small", WORSE, queries)
