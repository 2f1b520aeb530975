"""Embedding sets, their documents and searches over HTTP: on a real server, over a real home."""

import itertools
import threading
from urllib.parse import quote

import httpx
import pytest

from embassay.server.keys.principal import Principal

from .conftest import DOCUMENTS, running

SETS = "/api/v1/embedding-sets"
NUMBERS = itertools.count()
TRICKS = ["..", "a/b", "%2e%2e", "a\x00b", "x" * 101, "...", "\u202eabc", " ", "a\nb", "."]


@pytest.fixture
def made(client):
    """A set of its own, by its slug."""
    slug = f"own-{next(NUMBERS)}"
    assert client.post(SETS, json={"name": slug}).status_code == 201
    yield slug
    client.delete(f"{SETS}/{slug}")


def put(client, slug, *documents, **more):
    return client.post(f"{SETS}/{slug}/documents", json={"documents": list(documents), **more})


def code(reply):
    error = reply.json()["error"]
    assert set(error) == {"code", "message", "remedy", "place"} and error["message"]
    return reply.status_code, error["code"]


def test_a_set_is_made_shown_changed_listed_and_removed(client):
    given = {"name": "Hand book", "slug": "hand", "set_type": "full", "embedding_config_id": "minilm"}
    reply = client.post(SETS, json={**given, "auto_embed_rules": {"on_create": True, "on_update": False}})
    made = reply.json()
    assert reply.status_code == 201, reply.text
    assert (made["name"], made["slug"], made["set_type"], made["dimensions"]) == ("Hand book", "hand", "full", 384)
    assert made["auto_embed_rules"] == {"on_create": True, "on_update": False}
    assert made["embedding_config_id"] == "sentence-transformers/all-MiniLM-L6-v2" and made["truncate_dim"] is None
    assert client.get(f"{SETS}/hand").json() == made
    assert code(client.post(SETS, json=given)) == (409, "name_taken")

    change = {"name": "Manual", "slug": "manual", "auto_embed_rules": {"on_create": False, "on_update": False}}
    changed = client.patch(f"{SETS}/hand", json={**change, "fusion": "zscore(0.5)"}).json()
    assert (changed["name"], changed["slug"], changed["fusion"]) == ("Manual", "manual", "zscore(0.5)")
    assert changed["auto_embed_rules"] == {"on_create": False, "on_update": False}
    assert code(client.get(f"{SETS}/hand")) == (404, "set_not_found")
    assert client.patch(f"{SETS}/manual", json={"fusion": None}).json()["fusion"] is None

    assert "manual" in [one["slug"] for one in client.get(SETS).json()["data"]]
    put(client, "manual", *DOCUMENTS)
    assert client.delete(f"{SETS}/manual", params={"dry_run": 1}).json()["documents"] == 3
    assert client.delete(f"{SETS}/manual").json() == {
        "slug": "manual", "documents": 3, "chunks": 3, "dry_run": False,
    }  # fmt: skip
    assert code(client.delete(f"{SETS}/manual")) == (404, "set_not_found")
    client.post(SETS, json={"name": "manual"})
    assert client.get(f"{SETS}/manual").json()["name"] == "manual"  # the title went with the set
    client.delete(f"{SETS}/manual")


def test_sets_come_in_pages(client):
    names = [f"page-{at}" for at in range(5)]
    for name in names:
        client.post(SETS, json={"name": name})
    seen, after = [], ""
    while after is not None:
        page = client.get(SETS, params={"limit": 2, "after": after}).json()
        seen += [one["slug"] for one in page["data"]]
        after = page["next"]
    assert [one for one in seen if one in names] == names and len(seen) == len(set(seen))
    for name in names:
        client.delete(f"{SETS}/{name}")


def test_a_filter_set_shows_a_part_of_another(client):
    asked = {"name": "German animals", "slug": "de", "set_type": "filter", "of": "animals", "filter": 'lang = "de"'}
    made = client.post(SETS, json=asked).json()
    assert (made["set_type"], made["of"], made["documents"]) == ("filter", "animals", 1)
    assert [one["id"] for one in client.get(f"{SETS}/de/documents").json()["data"]] == ["herons"]
    hits = client.get("/api/v1/search", params={"q": "birds in water", "set": "de"}).json()["hits"]
    assert [hit["document"] for hit in hits] == ["herons"]
    assert put(client, "de", DOCUMENTS[0]).status_code == 400
    assert code(client.delete(f"{SETS}/animals")) == (400, "usage")
    assert client.delete(f"{SETS}/de").status_code == 200


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (400, "request_invalid")),
        ({"name": "x", "set_type": "other"}, (400, "request_invalid")),
        ({"name": "x", "nonsense": 1}, (400, "request_invalid")),
        ({"name": "x", "truncate_dim": 128}, (400, "dimensions_refused")),
        ({"name": "x", "truncate_dim": 0}, (400, "request_invalid")),
        ({"name": "x", "embedding_config_id": "nobody/knows"}, (404, "model_not_found")),
        ({"name": "x", "embedding_config_id": "/etc"}, (404, "model_not_found")),
        ({"name": "x", "language": "tlh"}, (400, "usage")),
        ({"name": "x", "of": "animals"}, (400, "request_invalid")),
        ({"name": "x", "set_type": "filter", "of": "animals"}, (400, "request_invalid")),
        ({"name": "x", "set_type": "filter", "of": "none", "filter": 'a = "b"'}, (404, "set_not_found")),
        ({"name": "x", "set_type": "filter", "of": "animals", "filter": "a ="}, (400, "filter_error")),
        (
            {"name": "x", "set_type": "filter", "of": "animals", "filter": "a=1", "dtype": "int8"},
            (400, "request_invalid"),
        ),
    ],
)
def test_a_set_that_cannot_be(client, fields, expected):
    reply = client.post(SETS, json=fields)
    assert code(reply) == expected, reply.text
    assert "x" not in [one["slug"] for one in client.get(SETS).json()["data"]]


def test_a_cut_without_matryoshka_training_is_refused_with_the_reason(client):
    error = client.post(SETS, json={"name": "x", "truncate_dim": 128}).json()["error"]
    assert "Matryoshka" in error["message"] + error["remedy"]


@pytest.mark.parametrize("name", TRICKS)
def test_names_that_play_tricks(client, name):
    assert client.post(SETS, json={"name": name}).status_code == 400 or name == "%2e%2e"
    encoded = quote(name, safe="").replace(".", "%2E")
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/documents"), ("POST", "/index")):
        reply = client.request(method, f"{SETS}/{encoded}{path}")
        assert reply.status_code in (200, 404) and (reply.status_code == 404 or name == "%2e%2e"), (path, reply.text)


def test_documents_in_and_out(client, made):
    report = put(client, made, *DOCUMENTS).json()
    assert (report["added"], report["embedded"], report["waiting"], report["chunks"]) == (3, 3, 0, 3)
    assert put(client, made, *DOCUMENTS).json()["unchanged"] == 3
    one = client.put(f"{SETS}/{made}/documents/keys", json={"text": "Keys are kept in a safe.", "title": "Keys"})
    assert one.json()["updated"] == 1
    shown = client.get(f"{SETS}/{made}/documents/keys").json()
    assert shown == {"id": "keys", "text": "Keys are kept in a safe.", "title": "Keys", "metadata": {}}
    assert code(put(client, made, {"id": "keys", "text": "again"}, mode="add")) == (400, "usage")

    listed = client.get(f"{SETS}/{made}/documents").json()
    assert [one["id"] for one in listed["data"]] == ["herons", "keys", "otters"] and listed["next"] is None
    where = client.get(f"{SETS}/{made}/documents", params={"where": 'lang = "de"'}).json()
    assert [one["id"] for one in where["data"]] == ["herons"]

    gone = client.delete(f"{SETS}/{made}/documents", params={"where": 'lang = "de"', "dry_run": True}).json()
    assert gone == {"documents": 1, "chunks": 1, "dry_run": True}
    assert client.delete(f"{SETS}/{made}/documents", params={"where": 'lang = "de"'}).json()["documents"] == 1
    assert client.delete(f"{SETS}/{made}/documents/keys").json()["documents"] == 1
    assert code(client.delete(f"{SETS}/{made}/documents/keys")) == (404, "not_found")
    assert code(client.get(f"{SETS}/{made}/documents/keys")) == (404, "not_found")
    assert [one["id"] for one in client.get(f"{SETS}/{made}/documents").json()["data"]] == ["otters"]


def test_ids_with_slashes_and_signs(client, made):
    for id in ("docs/a b.md", "a/../b", "50%", "ä#?&", "17"):
        path = f"{SETS}/{made}/documents/{quote(id, safe='')}"
        assert client.put(path, json={"text": f"text of {id}"}).status_code == 200
        assert client.get(path).json()["text"] == f"text of {id}"
    assert len(client.get(f"{SETS}/{made}/documents").json()["data"]) == 5


def test_documents_come_in_pages_that_nothing_shifts(client, made):
    put(client, made, *({"id": f"d{at}", "text": f"text {at}"} for at in range(7)))
    page = client.get(f"{SETS}/{made}/documents", params={"limit": 3}).json()
    assert [one["id"] for one in page["data"]] == ["d0", "d1", "d2"]
    client.delete(f"{SETS}/{made}/documents/d1")
    put(client, made, {"id": "c", "text": "before all"})
    seen = []
    while page["next"]:
        page = client.get(f"{SETS}/{made}/documents", params={"limit": 3, "cursor": page["next"]}).json()
        seen += [one["id"] for one in page["data"]]
    assert seen == ["d3", "d4", "d5", "d6"]
    for cursor in ("x", "AAAA", "WzFd", "W10", "é", "eyJhIjoxfQ"):
        assert code(client.get(f"{SETS}/{made}/documents", params={"cursor": cursor})) == (400, "request_invalid")


def test_what_no_rule_embeds_waits_until_it_is_indexed(client, made):
    client.patch(f"{SETS}/{made}", json={"auto_embed_rules": {"on_create": False}})
    assert put(client, made, *DOCUMENTS).json()["waiting"] == 3
    assert client.get(f"{SETS}/{made}").json()["waiting"] == 3
    found = client.get("/api/v1/search", params={"q": "otters", "set": made, "strategy": "lexical"}).json()
    assert found["hits"][0]["document"] == "otters"
    report = client.post(f"{SETS}/{made}/index").json()
    assert (report["embedded"], report["waiting"]) == (3, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"documents": []}, (400, "request_invalid")),
        ({"documents": [{"id": "a"}]}, (400, "request_invalid")),
        ({"documents": [{"id": "a", "text": 5}]}, (400, "request_invalid")),
        ({"documents": [{"id": "", "text": "x"}]}, (400, "usage")),
        ({"documents": [{"id": "a\x00", "text": "x"}]}, (400, "usage")),
        ({"documents": [{"id": "a" * 1001, "text": "x"}]}, (400, "usage")),
        ({"documents": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, (400, "usage")),
        ({"documents": [{"id": str(at), "text": "x"} for at in range(2049)]}, (400, "request_invalid")),
    ],
)
def test_documents_that_are_none(client, made, body, expected):
    assert code(client.post(f"{SETS}/{made}/documents", json=body)) == expected
    assert client.get(f"{SETS}/{made}").json()["documents"] == 0


def test_documents_of_a_set_that_is_not_there_make_none(client):
    assert code(put(client, "nowhere", DOCUMENTS[0])) == (404, "set_not_found")
    assert code(client.get(f"{SETS}/nowhere")) == (404, "set_not_found")


def test_which_documents_go_has_to_be_said(client, made):
    for params in ({}, {"where": "a = 1", "path": "x"}):
        assert code(client.delete(f"{SETS}/{made}/documents", params=params)) == (400, "request_invalid")


def test_configs(client):
    listed = client.get("/api/v1/embedding-configs").json()["data"]
    minilm = next(one for one in listed if one["is_default"])
    assert minilm["id"] == "sentence-transformers/all-MiniLM-L6-v2" and minilm["dimensions"] == 384
    assert (minilm["supports_mrl"], minilm["matryoshka_dims"], minilm["default_truncate_dim"]) == (False, [], None)
    assert client.get(f"/api/v1/embedding-configs/{minilm['id']}").json() == minilm
    assert client.get("/api/v1/embedding-configs/minilm").json() == minilm
    assert code(client.get("/api/v1/embedding-configs/none")) == (404, "model_not_found")


def search(client, **params):
    return client.get("/api/v1/search", params={"set": "animals", **params})


def test_a_search_is_that_of_the_library(client, served):
    known = served.home.set("animals").search("when are keys rotated", 2)
    found = search(client, q="when are keys rotated", k=2, explain=1).json()
    assert [hit["document"] for hit in found["hits"]] == [hit.chunk.document for hit in known.hits]
    assert found["hits"][0]["score"] == pytest.approx(known.hits[0].score, abs=1e-3)
    assert found["pipeline"] == str(known.pipeline) and found["trace"]
    assert "trace" not in search(client, q="keys").json()
    by_body = client.post("/api/v1/search", json={"q": "keys", "set": "animals", "strategy": "lexical"}).json()
    assert by_body["mode"] == "lexical" and by_body["hits"][0]["document"] == "keys"


def test_everything_but_the_query_has_a_default(client):
    assert client.get("/api/v1/search?q=machine+learning&strategy=two_stage").status_code == 200
    assert code(client.get("/api/v1/search")) == (400, "request_invalid")


def test_two_stages(client, served):
    told = search(client, q="keys", strategy="two_stage").json()
    assert "whole vectors" in told["notices"][0] and told["hits"]
    assert code(search(client, q="keys", strategy="two_stage", coarse_dim=16)) == (400, "usage")
    served.home.set("many").upsert(
        [{"id": str(at), "text": f"note {at} about {'keys' * (at % 7)}"} for at in range(40)]
    )
    served.home.set("many").fit_coarse(16)
    found = search(client, q="note", set="many", strategy="two_stage", coarse_dim=16, coarse_k=20, explain=1).json()
    assert found["pipeline"] == "coarse(20, dims=16) >> exact >> top(10)" and not found["notices"]
    served.home.delete_set("many")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"q": ""}, (400, "query_error")),
        ({"q": "a", "set": "none"}, (404, "set_not_found")),
        ({"q": "a", "k": 0}, (400, "request_invalid")),
        ({"q": "a", "k": 1001}, (400, "request_invalid")),
        ({"q": "a", "where": "lang ="}, (400, "filter_error")),
        ({"q": "a", "where": "(" * 5000}, (400, "filter_error")),
        ({"q": "a", "strategy": "best"}, (400, "request_invalid")),
        ({"q": "a", "strategy": "dense(5) >> nothing"}, (400, "usage")),
        ({"q": "a", "strategy": "dense(20000) >> top(5)"}, (400, "request_invalid")),
        ({"q": "a", "strategy": "dense(5) >> top(5000)"}, (400, "request_invalid")),
        ({"q": "a", "strategy": 'dense(5, set="secret") >> top(5)'}, (404, "set_not_found")),
        ({"q": "a", "strategy": 'dense(5) >> rerank(5, "evil/model") >> top(5)'}, (404, "model_not_found")),
        ({"q": "a", "rerank": "evil/model"}, (404, "model_not_found")),
        ({"q": "a", "group_by": "colour"}, (400, "request_invalid")),
        ({"q": "a", "k": "many"}, (400, "request_invalid")),
    ],
)
def test_searches_that_cannot_be(client, params, expected):
    assert code(search(client, **params)) == expected


def test_several_sets_at_once(client, made):
    put(client, made, {"id": "cats", "text": "Cats sleep by day."})
    found = client.post("/api/v1/search", json={"q": "animals that sleep", "sets": ["animals", made]}).json()
    assert {hit["set"] for hit in found["hits"]} == {"animals", made}
    assert code(client.post("/api/v1/search", json={"q": "a", "sets": ["animals", "none"]})) == (404, "set_not_found")


def test_errors_say_nothing_of_folders_and_other_sets(client, served, monkeypatch, made):
    """A key that sees one set learns of no other: not of its name, nor that it is there."""
    tenant = Principal("k1", "tenant", "write", sets=frozenset((made, "gone")))
    monkeypatch.setattr(served.server.guard, "principal_of", lambda *_: tenant)
    put(client, made, *DOCUMENTS)
    assert [one["slug"] for one in client.get(SETS).json()["data"]] == [made]
    asked = [
        ("GET", f"{SETS}/animals", None),
        ("GET", f"{SETS}/gone", None),
        ("DELETE", f"{SETS}/animals", None),
        ("GET", f"{SETS}/animals/documents", None),
        ("POST", f"{SETS}/animals/documents", {"documents": DOCUMENTS}),
        ("GET", "/api/v1/search?q=a&set=animals", None),
        ("POST", "/api/v1/search", {"q": "a", "sets": [made, "animals"]}),
        ("POST", "/api/v1/search", {"q": "a", "set": made, "strategy": 'dense(5, set="animals") >> top(5)'}),
        ("POST", SETS, {"name": "x", "slug": "gone", "set_type": "filter", "of": "animals", "filter": "a = 1"}),
    ]
    for method, path, body in asked:
        reply = client.request(method, path, json=body)
        assert code(reply) == (404, "set_not_found"), path
        assert str(served.home.folder) not in reply.text and "There are: animals" not in reply.text
    assert code(client.post(SETS, json={"name": "elsewhere"})) == (403, "not_allowed")
    assert code(client.patch(f"{SETS}/{made}", json={"slug": "elsewhere"})) == (403, "not_allowed")
    hits = client.get("/api/v1/search", params={"q": "otters"}).json()  # the only set that it sees is meant
    assert hits["set"] == made


def test_many_write_one_set_at_once(client, served, made):
    """Nothing is lost or doubled, and searches go on meanwhile."""
    replies = []

    def write(at):
        with httpx.Client(base_url=served.url, timeout=60) as own:
            replies.append(put(own, made, *({"id": f"{at}-{n}", "text": f"writer {at} says {n}"} for n in range(3))))

    writers = [threading.Thread(target=write, args=(at,)) for at in range(12)]
    for one in writers:
        one.start()
    assert search(client, q="otters").status_code == 200
    for one in writers:
        one.join()
    assert {reply.status_code for reply in replies} == {200}
    listed = client.get(f"{SETS}/{made}/documents").json()["data"]
    assert len(listed) == 36 and len({one["id"] for one in listed}) == 36


def test_a_fresh_server_without_any_set(tmp_path):
    with running(tmp_path / ".embassay") as fresh, httpx.Client(base_url=fresh.url, timeout=30) as client:
        assert client.get(SETS).json() == {"data": [], "next": None}
        assert code(client.get("/api/v1/search?q=a")) == (404, "set_not_found")
        assert code(client.get(f"{SETS}/none")) == (404, "set_not_found")
        assert client.post(SETS, json={"name": "first"}).status_code == 201
        assert put(client, "first", DOCUMENTS[0]).json()["added"] == 1
        assert client.get("/api/v1/search?q=keys").json()["hits"]
