"""Keys that are rotated while a program runs, and where each secret goes."""

from __future__ import annotations

import threading

import pytest

from embassay.embedders.http.connection import Connection
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import KeyRejected
from tests.embedders.http.services import GOOD, model
from tests.servers import Answer, serving


def guarded(*keys):
    """A service that takes these keys alone, and repeats the one that it refuses."""

    def handle(request):
        told = request.headers.get("authorization", "").removeprefix("Bearer ")
        return GOOD(request) if told in keys else Answer({"error": {"message": f"bad key {told}"}}, 401)

    return handle


def test_a_rotated_key_is_read_again_once(tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-old-old\n")
    with serving(guarded("sk-old-old")) as server:
        embedder = model(server, api_key=f"${{file:{key}}}")
        embedder.embed(["a"], "query")
        key.write_text("sk-new-new\n")
        embedder.embed(["b"], "query")
        assert "sk-new" not in str([r.headers for r in server.received]), "it is read once, as long as it is taken"
        server.handle, before = guarded("sk-new-new"), len(server.received)
        assert embedder.embed(["c"], "query").vectors.any()
        assert len(server.received) == before + 2
        embedder.embed(["d"], "query")
        assert len(server.received) == before + 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_did_not_change_is_tried_once(tmp_path, status):
    (tmp_path / "key").write_text("sk-old-old")
    with serving(lambda _: Answer({"error": "no"}, status)) as server, pytest.raises(KeyRejected):
        model(server, api_key=f"${{file:{tmp_path}/key}}").embed(["a"], "query")
    assert len(server.received) == 1


def test_a_new_key_that_is_wrong_too(tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-old-old")
    with serving(guarded("sk-old-old")) as server:
        embedder = model(server, api_key=f"${{file:{key}}}")
        embedder.embed(["a"], "query")
        server.handle = guarded()
        key.write_text("sk-new-new")
        before = len(server.received)
        with pytest.raises(KeyRejected) as caught:
            embedder.embed(["b"], "query")
        assert len(server.received) == before + 2
        assert "sk-old" not in str(caught.value) and "sk-new" not in str(caught.value)


def test_a_key_that_is_gone_leaves_the_refusal(tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-old-old")
    with serving(guarded("sk-old-old")) as server:
        embedder = model(server, api_key=f"${{file:{key}}}")
        embedder.embed(["a"], "query")
        server.handle = guarded()
        key.unlink()
        with pytest.raises(KeyRejected, match="401"):
            embedder.embed(["b"], "query")


def test_a_variable_and_a_header_are_rotated_as_well(monkeypatch):
    monkeypatch.setenv("ROTATED", "one-one")
    handle = lambda taken: lambda r: GOOD(r) if r.headers.get("x-token") == taken else Answer({}, 401)  # noqa: E731
    with serving(handle("one-one")) as server:
        embedder = model(server, headers={"X-Token": "${ROTATED}"})
        embedder.embed(["a"], "query")
        monkeypatch.setenv("ROTATED", "two-two")
        server.handle = handle("two-two")
        assert embedder.embed(["b"], "query").vectors.any()


def test_threads_that_are_refused_at_once_read_once(tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "vault"
    script.write_text(f"#!/bin/sh\necho read >> {log}\ncat {tmp_path}/key\n")
    script.chmod(0o755)
    (tmp_path / "key").write_text("sk-old-old")
    together = threading.Barrier(4)
    with serving(guarded("sk-old-old")) as server:
        embedder = model(server, api_key=f"${{command:{script}}}", batch_size=1, concurrency=4)
        embedder.embed(["a"], "query")
        (tmp_path / "key").write_text("sk-new-new")
        new = guarded("sk-new-new")

        def handle(request):
            if "sk-old" in request.headers["authorization"]:
                together.wait(5)  # all four are refused before any of them reads
            return new(request)

        server.handle = handle
        assert embedder.embed(["b", "c", "d", "e"], "query").vectors.any()
    assert log.read_text().count("read") == 2


def test_a_command_that_repeats_the_key_is_not_seen(tmp_path, caplog):
    with serving(guarded()) as server, pytest.raises(KeyRejected) as caught, caplog.at_level("DEBUG"):
        model(server, api_key="${command:echo sk-from-a-command}").embed(["a"], "query")
    assert "sk-from" not in str(caught.value) + caplog.text + repr(caught.value.__context__)


def uses(**settings):
    api = open_api(Settings(model_id="m", **settings), None)
    return [tuple(use.to_dict().values()) for use in Connection(api, "m").secrets(api.request(["a"], "query").path)]


def test_where_each_secret_goes(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("A", "1")
    assert uses() == [("OPENAI_API_KEY", "api_key", "https://api.openai.com", True)]
    assert uses(api_key="none") == []
    assert uses(api_key="${A}", base_url="http://h:8/v1") == [("${A}", "api_key", "http://h:8", True)]
    assert uses(api_key="sk-2") == [("a key in the file", "api_key", "https://api.openai.com", True)]
    headers = {"X-Plain": "v", "X-Token": "t", "X-B": "${NOT_SET_ANYWHERE} ${command:vault -token=x}"}
    assert uses(api_key="none", headers=headers, base_url="https://u:pw@[::1]:9") == [
        ("a value in the file", "header X-Token", "https://[::1]:9", True),
        ("${NOT_SET_ANYWHERE}", "header X-B", "https://[::1]:9", False),
        ("${command:vault ...}", "header X-B", "https://[::1]:9", False),
        ("a password in the address", "base_url", "https://[::1]:9", True),
    ]
    monkeypatch.delenv("OPENAI_API_KEY")
    assert uses() == [("OPENAI_API_KEY", "api_key", "https://api.openai.com", False)]
