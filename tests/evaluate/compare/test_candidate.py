"""Candidates as users write them."""

import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.candidate import parse_candidate


@pytest.mark.parametrize(
    ("text", "model", "pipeline"),
    [
        ("minilm", "minilm", "dense(10) >> top(10)"),
        ("minilm@int8", "minilm@int8", "dense(10) >> top(10)"),
        ("minilm@hybrid@int8@dims=256", "minilm@int8@dims=256", "dense(100) | lexical(100) >> convex(0.75) >> top(10)"),
        ("a/b@dims=256@hybrid", "a/b@dims=256", "dense(100) | lexical(100) >> convex(0.75) >> top(10)"),
        ("a/b@fusion=rrf@hybrid", "a/b", "dense(100) | lexical(100) >> rrf(60) >> top(10)"),
        ("a/b@lexical", "a/b", "lexical(10) >> top(10)"),
        ("a@b@int8", "a@b@int8", "dense(10) >> top(10)"),
    ],
)
def test_candidates_as_they_are_written(text, model, pipeline):
    found = parse_candidate(text)
    assert (found.name, found.model, str(found.pipeline)) == (text, model, pipeline)


def test_a_fusion_nobody_knows():
    with pytest.raises(UsageError, match="fusion 'best'"):
        parse_candidate("a/b@fusion=best@hybrid")
