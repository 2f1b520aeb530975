"""Roles and tasks of texts, whoever says them: the client by a field, or by a prompt before the text."""

import httpx
import numpy as np
import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.server.texts import heads_of, without_beginnings
from tests.server.conftest import running

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
CARD = """
[[model]]
id = "me/tasks"
provider_ids = { local = "me/tasks" }
dimensions = 384
prompts = { query = "ask: ", document = "tell: " }
task_prompts = { clustering = "group: " }
sources = "ourselves"
"""
TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asking")
    (folder / "cards.toml").write_text(CARD)
    plain = {"model_id": MODEL, "query_prompt": "", "document_prompt": ""}
    tasks = {"model_id": MODEL, "card": "me/tasks"}
    absent = {"model_id": "nobody/has-this-one"}
    models = {"plain": plain, "tasks": tasks, "absent": absent}
    embeddings = EmbeddingsConfig(default_model="tasks", models=models)
    config = Config(embeddings=embeddings, cards=["cards.toml"], file=folder / "embassay.yaml")
    with running(folder / ".embassay", config=config) as found:
        yield found


@pytest.fixture
def plain(served):
    """Vectors by the same weights, which put nothing before a text."""
    model = served.home.session.models.get("plain")
    return lambda *texts: model.embed(texts, "document").vectors


def openai(client, **fields):
    reply = client.post("/v1/embeddings", json=fields)
    assert reply.status_code == 200, reply.text
    return np.array([one["embedding"] for one in reply.json()["data"]], np.float32)


def like(made, known):
    return made.shape == known.shape and np.allclose(made, known, atol=2e-3)


def test_a_field_says_the_role_or_the_task(client, plain):
    for said, prompt in (("query", "ask: "), ("document", "tell: "), ("clustering", "group: "), (None, "tell: ")):
        assert like(openai(client, input=TEXTS, input_type=said), plain(*(prompt + text for text in TEXTS)))
    reply = client.post("/v2/embed", json={"texts": TEXTS, "input_type": "clustering"})
    assert like(np.array(reply.json()["embeddings"]["float"], np.float32), plain(*("group: " + one for one in TEXTS)))
    reply = client.post("/embed", json={"inputs": TEXTS, "prompt_name": "clustering"})
    assert like(np.array(reply.json(), np.float32), plain(*("group: " + one for one in TEXTS)))
    refused = client.post("/v1/embeddings", json={"input": TEXTS, "input_type": "classification"})
    assert refused.status_code == 400 and "query" in refused.json()["error"]["message"]


def test_a_prompt_before_a_text_says_it_as_well_and_stands_there_once(client, plain):
    mixed = ["ask: who", "tell: them", "group: these", "neither", "ask: again"]
    known = plain("ask: who", "tell: them", "group: these", "tell: neither", "ask: again")
    assert like(openai(client, input=mixed), known)
    made = client.post("/api/embed", json={"model": "tasks", "input": mixed}).json()["embeddings"]
    assert like(np.array(made, np.float32), known)
    assert like(openai(client, input=["ask: who"], input_type="document"), plain("tell: ask: who"))


def test_an_error_names_the_text_among_those_of_other_roles(client):
    mixed = ["ask: who", "neither", "ask: " + "word " * 400]
    reply = client.post("/v1/embeddings", json={"input": mixed})
    assert reply.status_code == 400 and reply.json()["error"]["message"].startswith("text 2 has")


def test_a_task_is_no_model_of_its_own(client):
    openai(client, input=TEXTS, input_type="clustering")
    listed = [one["id"] for one in client.get("/v1/models").json()["data"]]
    assert listed == ["absent", "plain", "tasks"]
    assert client.post("/v1/embeddings", json={"input": "a", "model": "tasks#clustering"}).status_code == 404


def test_a_model_that_is_not_here_is_not_listed_as_pulled_and_not_downloaded(client):
    listed = {one["name"] for one in client.get("/api/tags").json()["models"]}
    assert {"plain:latest", "tasks:latest"} <= listed and "absent:latest" not in listed
    digests = {one["name"]: one["digest"] for one in client.get("/api/tags").json()["models"]}
    assert digests["plain:latest"] != digests["tasks:latest"]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/embed", "/api/embed", "/v2/rerank", "/v1/rerank"])
def test_what_is_no_name_of_a_model_is_not_looked_for(client, path):
    body = {"model": "x" * 3_000_000, "input": "a", "inputs": "a", "query": "a", "documents": ["a"]}
    reply = client.post(path, json=body)
    assert reply.status_code == 404 and len(reply.content) < 1000


def test_both_ends_of_long_texts(served):
    model = served.home.session.models.get("plain")
    long = "".join(f"word{at} " for at in range(3000))
    for tokens in (model.tokens, EstimatedTokens(100)):
        (kept,) = without_beginnings(tokens, "a prompt: ", [long])
        assert long.endswith(kept)
        count = tokens.count(["a prompt: " + kept])[0]
        assert tokens.safe_tokens * 0.9 <= count <= tokens.safe_tokens
        (head,) = heads_of(tokens, [long], 20)
        assert long.startswith(head) and 15 <= tokens.count([head])[0] <= 20
        assert without_beginnings(tokens, "", ["short"]) == heads_of(tokens, ["short"], 20) == ["short"]


def test_info_names_the_reranker_that_answers(served, tmp_path):
    info = httpx.get(f"{served.url}/info").json()
    assert info["model_id"] == "tasks" and info["reranker"] is None
