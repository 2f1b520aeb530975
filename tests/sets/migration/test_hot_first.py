"""What people found lately is embedded first, so that a cascade serves it early."""

from __future__ import annotations

from embassay.config.values import CacheConfig, Config, EmbeddingsConfig, QueryLogConfig
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from tests.servers import Swappable, serving

TEXTS = [f"Text {i} says how key {i} and lock {i % 5} are rotated." for i in range(40)]


def sent(tmp_path, *, queries, asked=(37, 11)):
    """The texts of the set, in the order in which a migration sent them, after searches that found some of them."""
    service, order = Swappable(), []

    def noting(request):
        order.extend(text for text in request.json["input"] if text in TEXTS and text not in order)
        return service(request)

    with serving(noting) as server:
        served = {"provider": "openai", "model_id": "m", "max_tokens": 512, "base_url": server.url}
        config = Config(
            embeddings=EmbeddingsConfig(models={"served": served}, default_model="hash/64"),
            cache=CacheConfig(path=str(tmp_path / "cache.db")),
            query_log=QueryLogConfig(queries=queries),
        )
        with Session(config) as session, Home(HomeFolder(tmp_path / ".embassay"), session) as home:
            docs = home.set("docs")
            docs.upsert([{"id": f"{i:02}", "text": text} for i, text in enumerate(TEXTS)])
            for number in asked:
                assert docs.search(TEXTS[number], k=1).hits[0].chunk.document == f"{number:02}"
            assert docs.migrate("served").state == "ready"
    assert sorted(order) == sorted(TEXTS), "each is sent, whoever asked for it"
    return [TEXTS.index(text) for text in order]


def test_what_was_found_last_is_sent_first(tmp_path):
    first, second, *rest = sent(tmp_path, queries="kept")
    assert (first, second) == (11, 37) and rest == sorted(rest)


def test_without_a_log_the_order_is_that_of_the_set(tmp_path):
    order = sent(tmp_path, queries="off")
    assert order == sorted(order)
