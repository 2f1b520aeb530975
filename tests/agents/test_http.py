"""The tools of a real server, asked over HTTP by the SDK's own client in both ages of the protocol."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import httpx
import httpx2
import msgspec
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from embassay.agents.calls import ERROR
from embassay.config.values import Config, QueryLogConfig
from embassay.server.keys.key import Grant
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.store import KeyStore
from tests.server.conftest import DOCUMENTS, running


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("served") / ".embassay") as found:
        found.home.set("animals").upsert(DOCUMENTS)
        found.home.set("plants").upsert([{"id": "oak", "text": "Oaks grow old."}], model="hash/64")
        yield found


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_searches_a_server(served, mode):
    async with Client(f"{served.url}/mcp", mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "explain", "feedback", "list_sets", "read_document", "search",
        }  # fmt: skip
        sets = (await client.call_tool("list_sets", {})).structured_content["sets"]
        assert [one["name"] for one in sets] == ["animals", "plants"]
        found = await client.call_tool("search", {"query": "who sleeps afloat", "set": "animals", "k": 1})
        assert found.structured_content["passages"][0]["document"] == "otters"
        read = await client.call_tool("read_document", {"id": "otters", "set": "animals"})
        assert read.structured_content["parts"][0]["text"] == DOCUMENTS[1]["text"]
        wrong = await client.call_tool("search", {"query": "a", "set": "stones"})
        assert wrong.is_error and wrong.meta[ERROR]["code"] == "set_not_found"


@pytest.mark.anyio
async def test_many_agents_at_once(served):
    async def one(at):
        async with Client(f"{served.url}/mcp") as client:
            found = await client.call_tool("search", {"query": f"otters {at}", "set": "animals", "k": 1})
            documents.append(found.structured_content["passages"][0]["document"])

    documents = []
    async with anyio.create_task_group() as agents:
        for at in range(8):
            agents.start_soon(one, at)
    assert documents == ["otters"] * 8


def posted(served, body, **headers):
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"} | headers
    return httpx.post(f"{served.url}/mcp", content=content, headers=headers, timeout=30)


CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"[" * 100_000, 400), (b"\xff", 400), (b'{"jsonrpc":"2.0"}', 400),
        ({"jsonrpc": "1.0", "method": "ping", "id": 1}, 400), ({**CALL, "id": None}, 400), ({**CALL, "params": [1]}, 400),
        ({**CALL, "method": "nothing"}, 200), ({**CALL, "params": {}}, 200), ({**CALL, "params": {"name": 5}}, 200),
        ({**CALL, "params": {"name": "search", "arguments": 5}}, 200), (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}', 400),
        ({**CALL, "params": {"name": "x" * 10_000}}, 200),
    ],
)  # fmt: skip
def test_garbage_is_answered_as_such(served, body, status):
    answer = posted(served, body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] < 0 and error["message"] and "Traceback" not in answer.text and len(answer.text) < 5_000
    assert posted(served, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 200


def test_what_is_no_request_is_taken_and_not_answered(served):
    answer = posted(served, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}})
    assert answer.status_code == 202 and not answer.content and "content-type" not in answer.headers
    described = httpx.get(f"{served.url}/openapi.json").json()["paths"]["/mcp"]["post"]["responses"]["202"]
    assert "content" not in described and described["description"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_session_to_listen_to_or_to_end(served, method):
    answer = httpx.request(method, f"{served.url}/mcp")
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"


def test_ages_of_the_protocol_that_there_are_not(served):
    for version in ("1999-01-01", "x" * 5_000, "2026-07-28"):
        answer = posted(
            served, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, **{"mcp-protocol-version": version}
        )
        assert answer.status_code < 500 and "Traceback" not in answer.text


def test_a_client_that_goes_disturbs_nobody(served):
    for _ in range(5):
        with pytest.raises(httpx.TimeoutException):
            body = {**CALL, "params": {"name": "search", "arguments": {"query": "otters " * 5_000, "set": "animals"}}}
            httpx.post(f"{served.url}/mcp", json=body, timeout=httpx.Timeout(5, read=0.0001))
    assert posted(served, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 200


def test_a_home_that_vanishes_is_told_and_comes_back(tmp_path):
    def called(tool, **arguments):
        answer = posted(found, {**CALL, "params": {"name": tool, "arguments": arguments}})
        assert answer.status_code == 200 and "Traceback" not in answer.text
        return answer.json()["result"]

    with running(tmp_path / ".embassay") as found:
        found.home.set("animals").upsert(DOCUMENTS, model="hash/64")
        assert not called("search", query="otters")["isError"]
        (tmp_path / ".embassay").rename(tmp_path / "gone")
        for tool, arguments in (("search", {"query": "otters"}), ("read_document", {"id": "otters"})):
            told = called(tool, **arguments)
            assert told["isError"] and told["_meta"][ERROR]["code"] in (
                "store_error",
                "home_not_writable",
                "set_not_found",
            )
        (tmp_path / "gone").rename(tmp_path / ".embassay")
        assert not called("search", query="otters")["isError"]


@asynccontextmanager
async def with_key(server, token):
    headers = {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
    ):
        yield client


@pytest.fixture
def keyed(tmp_path):
    """A server with two tenants; searches are logged. Gives the server, and what makes a key."""
    config = Config(query_log=QueryLogConfig(queries="kept"))
    with running(tmp_path / ".embassay", config=config) as found:
        found.home.set("animals").upsert(DOCUMENTS, model="hash/64")
        found.home.set("plants").upsert([{"id": "oak", "text": "Oaks grow old."}], model="hash/64")
        store = KeyStore(found.home.folder)

        def key(name, **grant):
            return store.create(name, Grant(**grant))[1]

        yield found, key


@pytest.mark.anyio
async def test_a_key_sees_its_sets_alone(keyed):
    server, key = keyed
    animals, plants, reader = (
        key("a", sets=("animals",), right="write"),
        key("p", sets=("plants",), right="write"),
        key("r"),
    )
    async with with_key(server, animals) as client:
        sets = (await client.call_tool("list_sets", {})).structured_content["sets"]
        assert [one["name"] for one in sets] == ["animals"]
        found = (await client.call_tool("search", {"query": "otters"})).structured_content
        assert found["set"] == "animals", "the only one that is seen is meant"
        calls = [
            ("search", {"query": "a", "set": "plants"}),
            ("explain", {"query": "a", "set": "plants"}),
            ("read_document", {"id": "oak", "set": "plants"}),
            ("search", {"query": "a", "pipeline": 'x=dense(5) | y=dense(5, set="plants") >> rrf >> top(5)'}),
        ]
        for tool, arguments in calls:
            told = await client.call_tool(tool, arguments)
            other = {
                name: value.replace("plants", "stones") if name != "id" else value for name, value in arguments.items()
            }
            same = await client.call_tool(tool, other)
            assert told.is_error and told.meta[ERROR]["code"] == "set_not_found"
            assert told.content[0].text.replace("plants", "stones") == same.content[0].text
            assert str(server.home.folder) not in told.content[0].text
        noted = await client.call_tool("feedback", {"search": found["id"], "thumbs": "up"})
        assert noted.structured_content["sets"] == ["animals"]
    async with with_key(server, plants) as client:
        told = await client.call_tool("feedback", {"search": found["id"], "thumbs": "down"})
        same = await client.call_tool("feedback", {"search": "0123456789abcdef", "thumbs": "down"})
        assert told.is_error and told.content[0].text.replace(found["id"], "0123456789abcdef") == same.content[0].text
    async with with_key(server, reader) as client:
        told = await client.call_tool("feedback", {"search": found["id"], "thumbs": "down"})
        assert told.is_error and told.meta[ERROR]["code"] == "not_allowed"
        assert len((await client.call_tool("list_sets", {})).structured_content["sets"]) == 2
        told = await client.call_tool("search", {"query": "a", "set": "animals", "rerank": "some/model"})
        assert told.is_error and told.meta[ERROR]["code"] == "model_not_found", "only configured ones are served"
    assert [given.kind for given in server.home.query_log.entry(found["id"]).feedback] == ["up"]


@pytest.mark.anyio
async def test_limits_of_a_key_hold(keyed):
    server, key = keyed
    token = key("t", rates=PerMinute(tokens=40))
    async with with_key(server, token) as client:
        assert not (await client.call_tool("search", {"query": "otters", "set": "animals"})).is_error
        told = await client.call_tool("search", {"query": "otters " * 30, "set": "animals"})
        assert told.is_error and told.meta[ERROR]["code"] in ("limit_reached", "request_too_large")


def test_without_a_key_nobody_is_let_in(keyed):
    server, key = keyed
    token = key("one")
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({}, {"authorization": "Bearer no"}, {"authorization": f"Bearer {token[:-1]}x"}):
        answer = posted(server, call, **headers)
        assert answer.status_code == 401 and answer.json()["error"]["data"]["code"] == "key_refused"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert posted(server, call, authorization=f"Bearer {token}").status_code == 200
    KeyStore(server.home.folder).revoke("one")
    assert posted(server, call, authorization=f"Bearer {token}").status_code == 401
    assert posted(server, call, host="evil.example").status_code in (400, 403, 421)
