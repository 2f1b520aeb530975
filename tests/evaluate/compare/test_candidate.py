"""Candidates as users write them."""

import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.candidate import parse_candidate


@pytest.mark.parametrize(
    ("text", "model", "pipeline"),
    [
        ("minilm", "minilm", "dense(10) >> top(10)"),
        ("minilm@int8", "minilm@int8", "dense(10) >> top(10)"),
        (
            "minilm@hybrid@int8@dims=256",
            "minilm@int8@dims=256",
            "dense(100) | lexical(100) >> adaptive(0.7) >> top(10)",
        ),
        ("a/b@dims=256@hybrid", "a/b@dims=256", "dense(100) | lexical(100) >> adaptive(0.7) >> top(10)"),
        ("a/b@fusion=rrf@hybrid", "a/b", "dense(100) | lexical(100) >> rrf(60) >> top(10)"),
        ("a/b@lexical", "a/b", "lexical(10) >> top(10)"),
        ("a@b@int8", "a@b@int8", "dense(10) >> top(10)"),
        ("a/b@dense(50)", "a/b", "dense(50) >> top(10)"),
        ("a/b@dense(50)@int8", "a/b@int8", "dense(50) >> top(10)"),
        ("a/b@int8@ dense | lexical >> rrf >> top(5)", "a/b@int8", "dense(100) | lexical(100) >> rrf(60) >> top(5)"),
        ('a/b@far=dense(50, vectors="x@y")', "a/b", 'far=dense(50, vectors="x@y") >> top(10)'),
        ("docs@dense(5) | lexical(5) >> zscore", "docs", "dense(5) | lexical(5) >> zscore(0.5) >> top(10)"),
    ],
)
def test_candidates_as_they_are_written(text, model, pipeline):
    found = parse_candidate(text)
    assert (found.name, found.model, str(found.pipeline)) == (text, model, pipeline)


def test_a_fusion_nobody_knows():
    with pytest.raises(UsageError, match="fusion 'best'"):
        parse_candidate("a/b@fusion=best@hybrid")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a/b@desne(100)", "character 1: no stage is called 'desne'"),
        ("a/b@dense(100) >> top(10", "character 21: expected , or \\), found the end"),
        ("a/b@dense | lexical", "character 16: 2 arms need a stage that joins them"),
        ("a/b@dense >> top(10) >> group", "character 21: nothing stands behind top"),
        ("a/b@hybrid@dense(10)", "names a pipeline, and a mode or a fusion besides"),
        ("a/b@dense(10)@fusion=rrf", "names a pipeline, and a mode or a fusion besides"),
    ],
)
def test_pipelines_that_cannot_be_read(text, reason):
    with pytest.raises(UsageError, match=reason):
        parse_candidate(text)


def test_a_folder_is_a_name_whatever_it_is_called(tmp_path):
    folder = tmp_path / "model@v(1)"
    folder.mkdir()
    found = parse_candidate(f"{folder}@int8@lexical(7)")
    assert (found.model, str(found.pipeline)) == (f"{folder}@int8", "lexical(7) >> top(10)")
