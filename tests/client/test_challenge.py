"""Every route of real servers, asked from outside: fresh, with sets, with keys, and one that answers amiss."""

import json

import httpx
import pytest

from embassay.client import ServerUnreachable
from embassay.client.challenge.asks import IN_ORDER, OTHERS
from embassay.client.challenge.run import Challenge
from embassay.client.challenge.shapes import SHAPES
from embassay.errors import BadReply
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from tests.cli.test_cli import run
from tests.server.conftest import running
from tests.servers import Answer, serving


def wrong(found):
    return [(one.method, one.path, one.what, one.problem) for one in found if one.problem]


def test_a_fresh_server_passes(tmp_path):
    with running(tmp_path / ".embassay") as fresh:
        found = Challenge(fresh.url).run()
        assert wrong(found) == []
        served = {
            (method.upper(), path)
            for path, methods in httpx.get(f"{fresh.url}/openapi.json").json()["paths"].items()
            for method in methods
        }
        assert {(one.method, one.path) for one in found if one.what == "example"} == served
        assert not {*IN_ORDER, *OTHERS, *SHAPES} - served, "asked, and not served any more"
        assert httpx.get(f"{fresh.url}/api/v1/embedding-sets").json()["data"] == []  # nothing of it is left
        passed = {(one.method, one.path): one.status for one in found if one.what == "example" and not one.note}
        assert passed["POST", "/api/v1/jobs/{id}/switch"] == 200 and passed["POST", "/api/v1/search"] == 200


def test_a_server_with_keys(tmp_path):
    with running(tmp_path / ".embassay") as guarded:
        keys = KeyStore(guarded.home.folder)
        admin = keys.create("admin", Grant("admin"))[1]
        reader = keys.create("reader", Grant())[1]
        found = Challenge(guarded.url, admin).run()
        assert wrong(found) == [] and [one for one in found if one.what == "no key"]
        found = Challenge(guarded.url, reader).run()
        assert wrong(found) == [] and "the key does not allow it" in {one.note for one in found}


def test_what_is_amiss_is_found():
    """A server whose vectors are none, whose errors are no JSON, and that takes broken JSON."""
    route = {"responses": {"200": {"content": {"application/json": {}}}, "default": {}}}
    body = {"content": {"application/json": {"examples": {"one": {"value": {"model": "m", "input": "a"}}}}}}
    document = {"paths": {"/v1/embeddings": {"post": {**route, "requestBody": body}}, "/version": {"get": route}}}

    def handle(request):
        if request.path == "/openapi.json":
            return Answer(document, headers={"content-type": "application/json"})
        if request.path == "/version":
            return Answer(b"1.0", headers={"content-type": "text/plain"})
        if request.path == "/v1/embeddings" and request.method == "POST":
            return Answer({"data": [{"embedding": ["x"]}]}, headers={"content-type": "application/json"})
        return Answer(b"not here", 404)

    with serving(handle) as server:
        found = {(path, what): problem for _, path, what, problem in wrong(Challenge(server.url).run())}
    assert "no vector" in found["/v1/embeddings", "example"] and "text/plain" in found["/version", "example"]
    assert "status 200" in found["/v1/embeddings", "broken JSON"]
    assert "status 200" in found["/v1/embeddings", "an unknown model"]
    assert "no JSON" in found["/challenge/nothing-is-here", "an unknown path"]


def test_what_is_no_server_of_ours():
    with pytest.raises(ServerUnreachable):
        Challenge("http://127.0.0.1:9").run()
    for answer in (b"<html>", b"[]", b"{}", b'{"paths": 1}'):
        with serving(lambda _, answer=answer: Answer(answer)) as server, pytest.raises(BadReply):
            Challenge(server.url).run()


def test_the_command(tmp_path):
    with running(tmp_path / ".embassay") as fresh:
        told = json.loads(run("challenge", "--url", fresh.url, "--json", cwd=tmp_path, check=0)[1])
        assert told["ok"] and told["wrong"] == 0 and told["asked"] == len(told["routes"])
        assert "all are answered as they should be" in run("challenge", "--url", fresh.url, cwd=tmp_path, check=0)[1]
    route = {"responses": {"200": {"content": {"application/json": {}}}}}
    document = {"paths": {"/version": {"get": route}}}
    with serving(lambda _: Answer(document, headers={"content-type": "application/json"})) as server:
        _, out, _ = run("challenge", "--url", server.url, cwd=tmp_path, check=1)
    assert "there is no version" in " ".join(out.split())
