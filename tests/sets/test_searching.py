"""Searches of a set that was indexed: queries, filters, and a model that is out of reach."""

from __future__ import annotations

import shutil

import pytest

import embassay
from embassay.errors import QueryError, SetNotFound
from tests.sets.indexed import rows


def test_without_its_model_a_search_goes_by_words_and_says_so(home, docs, model):
    home.index([docs], model=model)
    shutil.rmtree(model)
    with embassay.open(home.folder) as again:
        result = again.search("rotate the key")
        assert result.hits and result.mode == "lexical" and "words only" in result.notices[0]


def test_queries(home, docs, model):
    home.index([docs], model=model)
    for query in ("", "   ", "\0"):
        with pytest.raises(QueryError, match="empty"):
            home.search(query)
    with pytest.raises(QueryError, match="characters"):
        home.search("x" * 10_000_000)
    assert home.search("key \0 \ud800 'quoted\" (").hits
    assert "read the first" in home.search("key " * 100).notices[0]
    assert len(home.search("key", k=1000).hits) == len(rows(home))
    with pytest.raises(SetNotFound, match="There are: default"):
        home.search("key", set="defualt")


def test_filters_apply_before_the_top_k(home, docs, model):
    home.index([docs], model=model)
    for mode in ("dense", "lexical", "hybrid"):
        hits = home.search("proxy server key", k=1, mode=mode, where="year >= 2024 and title = 'Proxies'").hits
        assert [hit.chunk.path for hit in hits] == ["docs/network/proxy.md"]
    assert home.search("key", where='path ~ "nowhere/**"').hits == []
