"""Scores that were paid for once are found again, by everything that decides them."""

from __future__ import annotations

import sqlite3

from tests.reranking.making import session
from tests.reranking.services import is_about

QUERY = "rotate a key"


def asked(server) -> list[str]:
    return [text for one in server.received for text in (is_about(one) if one.method == "POST" else [])]


def test_only_what_is_missing_is_asked_for_and_a_text_that_comes_twice_once(server, tmp_path):
    with session("jina", server.url, tmp_path) as models:
        models.rerank(QUERY, ["a key", "a cat"])
        made = models.rerank(QUERY, ["a cat", "rotate", "a key", "rotate"])
    assert asked(server) == ["a key", "a cat", "rotate"]
    assert made.cached.tolist() == [True, False, True, False] and made.usage.cached == 2
    assert (made.scores[1] == made.scores[3] and made.order[0] == 1) or made.order[0] == 2


def test_another_process_finds_them(server, tmp_path):
    for _ in range(2):
        with session("jina", server.url, tmp_path) as models:
            made = models.rerank(QUERY, ["a key", "rotate a key"])
    assert made.cached.all() and made.order == [1, 0] and len(server.received) == 1


def test_another_query_model_or_limit_is_another_score(server, tmp_path):
    with session("cohere", server.url, tmp_path) as models:
        models.rerank(QUERY, ["a key"])
        models.rerank("another query", ["a key"])
    for more in ({"model_id": "rerank-v4.0-pro"}, {"max_tokens": 64}, {"extra_body": {"priority": 1}}):
        with session("cohere", server.url, tmp_path, **({"extra_body": {}} | more)) as models:
            if "extra_body" not in more:
                models.rerank(QUERY, ["a key"])
    assert len(server.received) == 4


def test_a_score_that_was_tampered_with_is_asked_for_again(server, tmp_path):
    with session("jina", server.url, tmp_path) as models:
        right = models.rerank(QUERY, ["a key"]).scores[0]
    with sqlite3.connect(tmp_path / "cache.db") as db:
        db.execute("UPDATE vectors SET vector = ?", (b"\0\0\xc0\x7f",))
    with session("jina", server.url, tmp_path) as models:
        made = models.rerank(QUERY, ["a key"])
    assert made.scores[0] == right and not made.cached.any() and len(server.received) == 2


def test_without_the_cache_every_text_is_asked_for(server, tmp_path):
    with session("jina", server.url, tmp_path, cache_enabled=False) as models:
        assert models.rerank(QUERY, ["a key"]).scores[0] == models.rerank(QUERY, ["a key"]).scores[0]
    assert len(server.received) == 2 and not (tmp_path / "cache.db").exists()
