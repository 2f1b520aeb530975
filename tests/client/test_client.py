"""The typed clients against a real server, and against one that fails as it is told."""

import asyncio
import inspect
import subprocess
import sys

import numpy as np
import pytest

import embassay
from embassay.client import AsyncClient, AsyncServedSet, Client, ServedSet, ServerRefused, ServerUnreachable
from embassay.config.values import Config, RerankingConfig
from embassay.errors import (
    BadReply,
    DeadlinePassed,
    DimensionsRefused,
    FilterError,
    ModelNotFound,
    SetNotFound,
    StoreError,
    TextTooLong,
    UsageError,
)
from embassay.stores.filters.parser import read_filter
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.conftest import DOCUMENTS, running
from tests.servers import Answer, serving


def scripted(*answers):
    """A server that gives these answers, one after the other."""
    coming = iter(answers)
    return serving(lambda _: next(coming))


TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


def test_vectors_are_those_of_the_library(client):
    made = client.embed(TEXTS, "document")
    known = embassay.embed(TEXTS, "document")
    assert made.vectors.dtype == np.float32 and np.allclose(made.vectors, known.vectors, atol=2e-3)
    assert (len(made), made.tokens) == (2, sum(known.tokens))
    with pytest.raises(TextTooLong):
        client.embed(["word " * 600], "document", on_long="error")
    with pytest.raises(ModelNotFound, match="not served"):
        client.embed(TEXTS, "query", model="nobody/knows")
    with pytest.raises(UsageError, match="role"):
        client.embed(TEXTS, "passage")


def test_scores_of_a_reranker(tmp_path, client):
    with pytest.raises(ModelNotFound, match="no reranker"):
        client.rerank("when", TEXTS)
    write_cross_encoder(tmp_path / "reranker", SHAPES["bert"])
    own = {"ce": {"provider": "local", "model_id": str(tmp_path / "reranker")}}
    config = Config(reranking=RerankingConfig(models=own, default_model="ce"))
    with running(tmp_path / ".embassay", config=config) as served, Client(served.url) as asked:
        made = asked.rerank("when are keys rotated", TEXTS, model="ce")
        known = served.home.rerank("when are keys rotated", TEXTS, model="ce")
    assert np.allclose(made.scores, known.scores, atol=1e-3) and sorted(made.order) == [0, 1]


def test_a_set_from_its_beginning_to_its_end(client):
    made = client.create_set("tickets", name="Our tickets", auto_embed_rules={"on_create": True, "on_update": False})
    assert (made.name, made.slug, made.dimensions, made.auto_embed_rules.on_update) == (
        "Our tickets",
        "tickets",
        384,
        False,
    )
    tickets = client.set("tickets")
    assert tickets.exists and not client.set("nothing").exists
    assert tickets.upsert(DOCUMENTS).added == 3 and tickets.upsert(DOCUMENTS).unchanged == 3
    with pytest.raises(UsageError, match="already"):
        tickets.add(DOCUMENTS)
    records = tickets.get(["otters", "none", "keys"])
    assert [one.id for one in records] == ["otters", "keys"] and records[1].metadata == {"lang": "en"}
    assert [one.id for one in tickets.list(where=read_filter('lang = "en"'))] == ["keys", "otters"]
    found = tickets.search("when are keys rotated", k=2, where='lang = "en"')
    assert found.hits[0].chunk.document == "keys" and found.hits[0].chunk.text
    assert found.hits[0].arms["dense"].rank == 1 and found.set == "tickets"
    assert np.allclose(tickets.embed(TEXTS, "query").vectors, client.embed(TEXTS, "query").vectors)
    assert tickets.delete(ids=["otters", "none"]) == 1 and tickets.delete(where='lang = "de"') == 1
    with pytest.raises(FilterError):
        tickets.delete(where="lang =")
    with pytest.raises(UsageError, match="exactly one"):
        tickets.delete()
    tickets.update(auto_embed_rules={"on_create": False})
    assert tickets.upsert([{"id": "later", "text": "It waits."}]).waiting == 1
    assert tickets.index() == 1 and tickets.show().waiting == 0
    assert tickets.update(slug="issues").slug == "issues" and tickets.name == "issues"
    assert tickets.drop(dry_run=True) == 2 and tickets.drop() == 2
    with pytest.raises(SetNotFound):
        tickets.show()


def test_a_hit_is_that_of_the_library(client, served):
    ours = client.search("otters", 2, set="animals", context=1).hits
    known = served.home.set("animals").search("otters", 2, context=1).hits
    assert [(hit.rank, hit.chunk.document, hit.chunk.text, hit.chunk.span) for hit in ours] == [
        (hit.rank, hit.chunk.document, hit.chunk.text, hit.chunk.span) for hit in known
    ]
    assert client.search("otters", set="animals", pipeline="lexical(3) >> top(1)", explain=True).pipeline


def test_all_pages_are_read(client):
    client.create_set("many")
    many = client.set("many")
    many.update(auto_embed_rules={"on_create": False})
    many.upsert([{"id": f"{at:04d}", "text": f"text {at}"} for at in range(1500)])
    assert [one.id for one in many.list()] == [f"{at:04d}" for at in range(1500)]
    many.drop()


def test_what_a_server_has(client):
    assert client.health() == embassay.__version__
    assert client.models() == [one.id for one in client.configs()]
    assert client.config("minilm").is_default and not client.config("minilm").supports_mrl
    assert "animals" in [one.slug for one in client.sets()]
    assert client.jobs() == []
    assert len(client.recommend(language="de", n=2).recommended) == 2
    pairs = [{"query": "keys", "relevant": [TEXTS[0]]}, {"query": "otters", "relevant": [TEXTS[1]]}]
    assert client.compare("minilm", "minilm@hybrid", pairs=pairs).verdict == "undecided"
    with pytest.raises(DimensionsRefused):
        client.create_set("cut", truncate_dim=100)
    with pytest.raises(ServerRefused) as refused:
        client.create_set("animals")
    assert (refused.value.code, refused.value.status) == ("name_taken", 409)


def test_the_same_for_asyncio(served):
    async def work():
        async with AsyncClient(served.url) as client:
            await client.create_set("async")
            made = client.set("async")
            await made.upsert(DOCUMENTS)
            found = await asyncio.gather(*(made.search(one["text"], k=1) for one in DOCUMENTS))
            listed = [one.id async for one in made.list()]
            vectors = (await made.embed(TEXTS, "document")).vectors
            with pytest.raises(SetNotFound):
                await client.set("none").show()
            await made.drop()
            return [one.hits[0].chunk.document for one in found], listed, vectors.shape, await made.exists()

    assert asyncio.run(work()) == (["keys", "otters", "herons"], ["herons", "keys", "otters"], (2, 384), False)


def test_both_clients_have_the_same_calls():
    for plain, awaited in ((Client, AsyncClient), (ServedSet, AsyncServedSet)):
        public = {name for name in vars(plain) if not name.startswith("_") and name != "close"}
        assert public == {name for name in vars(awaited) if not name.startswith("_") and name != "aclose"}
        for name in public - {"exists"}:
            one, other = (inspect.signature(getattr(kind, name)).parameters for kind in (plain, awaited))
            assert one == other


AWAY = Answer({"error": {"code": "store_error", "message": "away."}}, 503)
OVERLOADED = {"error": {"code": "overloaded", "message": "too much.", "remedy": "Later.", "place": ""}}


def test_what_is_refused_for_the_moment_is_sent_again():
    busy = Answer(OVERLOADED, 429, {"retry-after": "0"})
    with scripted(busy, AWAY, Answer({"version": "9"})) as server, Client(server.url) as client:
        assert client.health() == "9" and len(server.received) == 3


def test_and_given_up_where_that_has_no_end():
    with (
        scripted(*[Answer(OVERLOADED, 429, {"retry-after": "0"})] * 5) as server,
        Client(server.url, retries=2) as client,
    ):
        with pytest.raises(embassay.errors.Overloaded, match="too much") as refused:
            client.health()
        assert refused.value.retry_after == 0 and len(server.received) == 3
    with scripted(Answer(OVERLOADED, 429, {"retry-after": "3600"})) as server, Client(server.url) as client:
        with pytest.raises(embassay.errors.Overloaded) as refused:
            client.health()
        assert refused.value.retry_after == 3600 and len(server.received) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer({"error": {"code": "store_error", "message": "gone."}}, 400), StoreError, "store_error"),
        (Answer({"error": {"code": "never_heard", "message": "odd."}}, 418), ServerRefused, "never_heard"),
        (Answer(b"<html>nginx</html>", 404), ServerRefused, "server_refused"),
        (
            Answer({"error": {"message": "no key", "code": "invalid_api_key", "param": None}}, 401),
            ServerRefused,
            "key_refused",
        ),
        (
            Answer({"message": "no.", "error": {"message": "no.", "code": 404}, "code": "set_not_found"}, 404),
            SetNotFound,
            "set_not_found",
        ),
        (Answer({"error": "no.", "error_type": "Backend"}, 424), ServerRefused, "server_refused"),
        (Answer([], 400), ServerRefused, "server_refused"),
        (Answer(b"not json", 200), BadReply, "bad_reply"),
        (Answer({"versions": 1}, 200), BadReply, "bad_reply"),
        (Answer(b"\xff\xfe", 500), ServerRefused, "server_refused"),
    ],
)
def test_answers_of_all_kinds_are_errors_of_ours(answer, kind, code):
    with scripted(answer) as server, Client(server.url) as client:
        with pytest.raises(kind) as refused:
            client.health()
        assert refused.value.code == code and refused.value.to_dict()["code"] == code


def test_a_server_that_is_not_there():
    with Client("http://127.0.0.1:9", retries=0) as client, pytest.raises(ServerUnreachable, match="does not answer"):
        client.health()
    for url in ("", "localhost", "ftp://x", "http://"):
        with pytest.raises(UsageError):
            Client(url)
    with pytest.raises(UsageError):
        Client("http://x", key="a\nb")


def test_a_server_that_does_not_answer_in_time():
    with scripted(Answer({"version": "1"}, delay=2.0)) as server, Client(server.url, timeout=0.3, retries=0) as client:
        with pytest.raises(DeadlinePassed):
            client.health()


def test_a_key_is_sent_and_not_shown():
    with scripted(Answer({"version": "1"})) as server, Client(server.url, key="emb-secret") as client:
        client.health()
        assert server.received[0].headers["authorization"] == "Bearer emb-secret"
        assert "secret" not in repr(client.server)


def test_nothing_heavy_is_imported():
    heavy = "numpy openvino starlette uvicorn lancedb pydantic".split()
    ours = ("embassay.server", "embassay.home", "embassay.sets", "embassay.search", "embassay.models")
    code = (
        f"import sys, embassay.client; print([m for m in {heavy} if m in sys.modules], "
        f"[m for m in sys.modules if m.startswith({ours})])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
