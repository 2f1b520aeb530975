"""Every reranker there is keeps the contract, bare and behind what is put around it."""

from __future__ import annotations

import pytest

from embassay.config.reading import checked
from embassay.models.rerankers import Rerankers
from embassay.reranking.opening import open_reranker, reranker_names, settings_of
from embassay.testing import check_reranker
from tests.reranking.fakes import Overlap
from tests.reranking.making import session
from tests.reranking.services import KINDS, settings

OVER_HTTP = {kind: settings(kind, "")["provider"] for kind in KINDS}


def test_every_reranker_is_played():
    assert set(OVER_HTTP.values()) == set(reranker_names()) - {"local"}


@pytest.mark.parametrize("kind", sorted(OVER_HTTP))
def test_a_reranker_over_http_keeps_the_contract(kind, server):
    raw = settings(kind, server.url)
    reranker = open_reranker(checked(raw, settings_of(raw["provider"]), "test"))
    reranker.check_ready()
    check_reranker(reranker)


@pytest.mark.parametrize("kind", ["cohere", "llm"])
def test_so_it_does_behind_the_cache(kind, server, tmp_path):
    with session(kind, server.url, tmp_path) as models:
        check_reranker(models.models.rerankers.get("r"))


def test_one_that_is_registered_keeps_it(tmp_path, server):
    with session("cohere", server.url, tmp_path) as models:
        rerankers: Rerankers = models.models.rerankers
        own = Overlap("mine")
        rerankers.register("mine", own)
        check_reranker(rerankers.get("mine"))
        assert models.rerank("a key", ["apples", "a key"], model="mine").order == [1, 0]
        asked = own.closed
    assert own.closed == asked, "it is its owner's to close"


class Broken(Overlap):
    def score(self, query, texts):
        made = super().score(query, texts)
        made.scores[:1] += len(texts)
        return made


def test_the_suite_finds_what_is_broken():
    with pytest.raises(AssertionError):
        check_reranker(Broken())
