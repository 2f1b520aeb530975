"""The tools of a real server, asked over HTTP by the SDK's own client in both ages of the protocol."""

from __future__ import annotations

import anyio
import httpx
import msgspec
import pytest
from mcp import Client

from embassay.agents.calls import ERROR
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
    assert answer.status_code == 202 and not answer.content


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
