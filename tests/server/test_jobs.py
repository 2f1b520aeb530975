"""Moves of a set to another model, feedback, comparisons and recommendations over HTTP."""

import time

import httpx
import pytest

from embassay.config.values import Config, EmbeddingsConfig, QueryLogConfig
from embassay.server.keys.principal import Principal

from .conftest import DOCUMENTS, running

JOBS = "/api/v1/jobs"
HASH = {"small": {"provider": "hash", "dimensions": 64}, "large": {"provider": "hash", "dimensions": 128}}
YAML = """
embeddings:
  default_model: small
  models:
    small: {provider: hash, dimensions: 64}
    large: {provider: hash, dimensions: 128}
"""
PAIRS = [
    {"query": "when are keys rotated", "relevant": ["Keys are rotated on Mondays."]},
    {"query": "otters afloat", "relevant": ["Otters sleep afloat."], "irrelevant": ["Herons stand still."]},
]


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A server over hash models, whose configuration its background processes read as well."""
    folder = tmp_path_factory.mktemp("moved")
    (folder / "embassay.yaml").write_text(YAML)
    config = Config(
        embeddings=EmbeddingsConfig(models=HASH, default_model="small"), query_log=QueryLogConfig(queries="kept")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with running(folder / ".embassay", config=config) as found:
            found.home.set("animals").upsert(DOCUMENTS)
            yield found


@pytest.fixture
def client(moved):
    with httpx.Client(base_url=moved.url, timeout=60) as made:
        yield made


def until(client, job, *states):
    for _ in range(400):
        found = client.get(f"{JOBS}/{job}").json()
        if found["state"] in states:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def code(reply):
    return reply.status_code, reply.json()["error"]["code"]


def test_a_set_is_moved_switched_and_moved_back(client):
    begun = client.post(JOBS, json={"set": "animals", "embedding_config_id": "large"})
    assert begun.status_code == 202, begun.text
    job = begun.json()["id"]
    ready = until(client, job, "ready")
    assert (ready["share"], ready["chunks"], ready["total"]) == (1.0, 3, 3) and ready["actions"] == ["switch", "abort"]
    assert ready["report"]["checks"]
    assert [one["id"] for one in client.get(JOBS).json()["data"]] == [job]
    assert client.get("/api/v1/embedding-sets/animals").json()["dimensions"] == 64
    switched = client.post(f"{JOBS}/{job}/switch", params={"why": "it is larger"}).json()
    assert (switched["state"], switched["actions"]) == ("switched", ["rollback"])
    assert client.get("/api/v1/embedding-sets/animals").json()["dimensions"] == 128
    assert code(client.post(f"{JOBS}/{job}/pause")) == (409, "migration_state")
    back = client.post(f"{JOBS}/{job}/rollback").json()
    assert (back["state"], back["actions"]) == ("rolled-back", [])
    assert client.get("/api/v1/embedding-sets/animals").json()["dimensions"] == 64


def test_a_job_is_given_up(client, moved):
    moved.home.set("held").upsert(DOCUMENTS)
    job = client.post(JOBS, json={"set": "held", "embedding_config_id": "large"}).json()["id"]
    until(client, job, "ready")
    gone = client.post(f"{JOBS}/{job}/abort").json()
    assert (gone["id"], gone["set"], gone["state"]) == (job, "held", "aborted")
    assert code(client.get(f"{JOBS}/{job}")) == (404, "not_found")
    assert client.get(JOBS, params={"set": "held"}).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"set": "none", "embedding_config_id": "large"}, (404, "set_not_found")),
        ({"set": "animals", "embedding_config_id": "nobody/knows"}, (404, "model_not_found")),
        ({"set": "animals", "embedding_config_id": "small"}, (400, "usage")),
        ({"set": "animals"}, (400, "usage")),
        ({"set": "animals", "embedding_config_id": "large", "rate": -1}, (400, "request_invalid")),
        ({"set": "animals", "truncate_dim": 16}, (400, "dimensions_refused")),
    ],
)
def test_jobs_that_cannot_be(client, body, expected):
    assert code(client.post(JOBS, json=body)) == expected


def test_a_job_that_is_not_there(client):
    for path in ("none", "..%2F..", "x" * 300):
        assert client.get(f"{JOBS}/{path}").status_code == 404
    assert code(client.post(f"{JOBS}/none/switch")) == (404, "not_found")


def test_whoever_may_only_read_moves_nothing(client, moved, monkeypatch):
    reader = Principal("k", "reader", "read", sets=frozenset(("other",)))
    monkeypatch.setattr(moved.server.guard, "principal_of", lambda *_: reader)
    assert client.get(JOBS).json()["data"] == []
    assert code(client.post(JOBS, json={"set": "animals", "embedding_config_id": "large"})) == (403, "not_allowed")
    assert code(client.post("/api/v1/compare", json={"a": "small", "b": "large", "pairs": PAIRS})) == (
        403,
        "not_allowed",
    )


def test_feedback(client, moved, monkeypatch):
    found = client.get("/api/v1/search", params={"q": "keys rotated", "set": "animals"}).json()
    given = client.post("/api/v1/feedback", json={"search": found["id"], "clicked": [1], "thumbs": "up"}).json()
    assert given["sets"] == ["animals"] and {one["kind"] for one in given["feedback"]} == {"clicked", "up"}
    assert code(client.post("/api/v1/feedback", json={"search": "none", "clicked": [1]})) == (404, "not_found")
    assert code(client.post("/api/v1/feedback", json={"search": found["id"], "clicked": [99]})) == (400, "usage")
    assert code(client.post("/api/v1/feedback", json={"search": found["id"]})) == (400, "usage")
    other = Principal("k", "other", "write", sets=frozenset(("other",)))
    monkeypatch.setattr(moved.server.guard, "principal_of", lambda *_: other)
    assert code(client.post("/api/v1/feedback", json={"search": found["id"], "clicked": [1]})) == (404, "not_found")


def test_models_are_compared_on_pairs(client):
    body = client.post("/api/v1/compare", json={"a": "small", "b": "large@hybrid", "pairs": PAIRS}).json()
    assert (body["verdict"], body["queries"], body["judged"]) == ("undecided", 2, "pairs")
    assert [one["name"] for one in body["candidates"]] == ["small", "large@hybrid"]
    assert 0 <= body["candidates"][0]["scores"]["nDCG@10"] <= 1 and body["detail"]["pairs"]


def test_models_and_sets_are_compared_on_a_judged_set_beside_the_home(client, moved):
    judged = moved.home.folder.parent / "judged-animals"
    (judged / "qrels").mkdir(parents=True)
    (judged / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{one["id"]}", "text": "{one["text"]}"}}\n' for one in DOCUMENTS)
    )
    (judged / "queries.jsonl").write_text('{"_id": "q1", "text": "when are keys rotated"}\n')
    (judged / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tkeys\t1\n")
    asked = {"a": "small", "b": "animals", "judged": "judged-animals"}
    reply = client.post("/api/v1/compare", json=asked)
    assert reply.status_code == 200, reply.text
    assert reply.json()["queries"] == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (400, "request_invalid")),
        ({"pairs": PAIRS, "judged": "x"}, (400, "request_invalid")),
        ({"pairs": []}, (400, "request_invalid")),
        ({"pairs": PAIRS, "a": "nobody/knows"}, (404, "model_not_found")),
        ({"pairs": PAIRS, "b": 'small@dense(5, set="secret") | lexical(5) >> rrf'}, (404, "set_not_found")),
        ({"judged": "../../etc"}, (404, "not_found")),
        ({"judged": ".."}, (404, "not_found")),
        ({"judged": "/etc"}, (404, "not_found")),
        ({"judged": "none\x00"}, (404, "not_found")),
        ({"judged": ".embassay"}, (404, "not_found")),
    ],
)
def test_comparisons_that_cannot_be(client, moved, fields, expected):
    reply = client.post("/api/v1/compare", json={"a": "small", "b": "large", **fields})
    assert code(reply) == expected, reply.text
    assert str(moved.home.folder.parent) not in reply.text


def test_a_link_out_of_the_folder_is_not_followed(client, moved, tmp_path):
    (moved.home.folder.parent / "link").symlink_to(tmp_path)
    asked = {"a": "small", "b": "large", "judged": "link"}
    assert code(client.post("/api/v1/compare", json=asked)) == (404, "not_found")


def test_models_are_recommended(client):
    body = client.get("/api/v1/models/recommend", params={"language": "de,en", "privacy": 1, "n": 3}).json()
    assert len(body["recommended"]) == 3 and all(one["why"] for one in body["recommended"])
    assert all(one["points"] >= body["recommended"][-1]["points"] for one in body["recommended"])
    assert body["excluded"] and any(limit["asked"] for limit in body["limits"])
    for params in ({"language": "German"}, {"domain": "gardening"}, {"n": 0}, {"max_mb": -1}, {"rerank": "best"}):
        assert code(client.get("/api/v1/models/recommend", params=params)) == (400, "request_invalid")
