"""The tools over the streams of a real process, asked by the SDK's own client in both ages of the protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client

import embassay
from embassay.agents.calls import ERROR

TOOLS = {"explain", "feedback", "list_sets", "read_document", "search"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def project(docs, monkeypatch):
    """Two sets, and what is asked of them is logged."""
    (docs.parent / "embassay.yaml").write_text("query_log: kept\n")
    monkeypatch.setenv("EMBASSAY_CONFIG", str(docs.parent / "embassay.yaml"))
    with embassay.open(docs.parent / ".embassay") as home:
        home.index([docs], model="hash/128")
        home.set("faq").upsert([{"id": "17", "text": "Ask Maria."}], model="hash/128")
    return docs.parent


@asynccontextmanager
async def asked(project, *arguments, mode="auto"):
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "embassay", "mcp", *arguments], env=dict(os.environ), cwd=project
    )
    async with Client(stdio_client(parameters), mode=mode) as client:
        yield client


async def told(client, tool, **arguments):
    """What a tool answers; its words and its fields say the same."""
    done = await client.call_tool(tool, arguments)
    assert not done.is_error, done.content[0].text
    assert json.loads(done.content[0].text) == done.structured_content
    return done.structured_content


async def refused(client, tool, **arguments):
    done = await client.call_tool(tool, arguments)
    assert done.is_error and not done.structured_content
    error = done.meta[ERROR]
    assert done.content[0].text == f"{error['code']}: {error['message']} {error['remedy']}".rstrip()
    return done.content[0].text


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_finds_reads_and_says_what_helped(project, mode):
    async with asked(project, mode=mode) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == TOOLS
        for name, tool in listed.items():
            assert tool.annotations.read_only_hint is (name != "feedback")
            assert tool.annotations.destructive_hint is False and tool.annotations.open_world_hint is False
            assert len(tool.description) > 100 and "\n" not in tool.description
            assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
            for field in tool.input_schema["properties"].values():
                assert field["description"]

        sets = (await told(client, "list_sets"))["sets"]
        assert [(one["name"], one["documents"]) for one in sets] == [("default", 5), ("faq", 1)]

        found = await told(client, "search", query="how do I rotate a key", k=2)
        best = found["passages"][0]
        assert best["document"] == "docs/keys.md" and "keyctl rotate" in best["text"] and len(found["passages"]) == 2

        read = await told(client, "read_document", id=best["document"], section="Passwords")
        assert "argon2" in read["parts"][0]["text"] and "next" not in read

        why = await told(client, "explain", query="rotate a key", k=1, document="docs/notes.txt")
        assert why["hits"][0]["arms"]["lexical"]["rank"] == 1 and why["hits"][0]["words"] == [
            "Keys",
            "Rotate",
            "key",
            "rotate",
            "keys",
        ]
        assert why["document"]["document"] == "docs/notes.txt" and why["document"]["rank"] > 1
        assert [step["stage"] for step in why["steps"]][-1] == "fetch"

        noted = await told(client, "feedback", search=found["id"], used=[1], thumbs="up")
        assert {"kind": "up", "document": None} in noted["feedback"] and len(noted["feedback"]) == 2


@pytest.mark.anyio
async def test_a_wrong_call_is_told_with_what_mends_it(project):
    async with asked(project) as client:
        assert "set_not_found" in await refused(client, "search", query="a", set="nowhere")
        assert "There are: default, faq" in await refused(client, "search", query="a", set="nowhere")
        for arguments in (
            {},
            {"query": 5},
            {"query": ""},
            {"query": "a", "k": 0},
            {"query": "a", "k": 10**9},
            {"query": "a", "no": 1},
        ):
            assert "usage: the arguments cannot be read" in await refused(client, "search", **arguments)
        assert "query_error" in await refused(client, "search", query=" ")
        assert "filter_error" in await refused(client, "search", query="a", where="year >")
        assert "usage" in await refused(client, "search", query="a", mode="psychic")
        assert "usage" in await refused(client, "search", query="a", pipeline="dense(5) >> nothing")
        for given in (
            {"rerank": "some/model"},
            {"pipeline": 'dense(5) >> rerank(5, "./model") >> top(5)'},
            {"rerank": "default"},
        ):
            assert "model_not_found" in await refused(client, "search", query="a", **given)
        assert "has no document 'docs/kes.md'" in await refused(client, "read_document", id="docs/kes.md")
        assert "There are: Security" in await refused(client, "read_document", id="docs/keys.md", section="Zebra")
        assert "lines 1 to 9" in await refused(client, "read_document", id="docs/keys.md", from_line=50)
        assert "usage" in await refused(client, "feedback", search="feedbeef", thumbs="up")
        with pytest.raises(MCPError, match="Did you mean 'search'"):
            await client.call_tool("serch", {"query": "a"})
        assert (await told(client, "search", query="a", k=1))["passages"]  # it goes on


@pytest.mark.anyio
async def test_only_the_sets_that_it_was_started_for_are_there(project):
    async with asked(project, "--set", "faq", "--read-only") as client:
        assert [one["name"] for one in (await told(client, "list_sets"))["sets"]] == ["faq"]
        found = await told(client, "search", query="whom do I ask")  # the only one is meant where none is named
        assert found["set"] == "faq"
        secret = await refused(client, "search", query="a", set="default")
        assert secret == (await refused(client, "search", query="a", set="nothing")).replace("nothing", "default")
        assert "read only" in await refused(client, "feedback", search=found["id"], thumbs="up")
        elsewhere = 'near=dense(5) | far=dense(5, set="default") >> convex(0.5) >> top(5)'
        for tool in ("search", "explain"):
            assert "there is no set 'default'" in await refused(client, tool, query="a", pipeline=elsewhere)
    with embassay.open(project / ".embassay") as home:
        other = home.query_log.entry(found["id"]).id
        assert not home.query_log.entry(other).feedback


@pytest.mark.anyio
async def test_a_home_may_come_go_and_come_again(tmp_path):
    project = tmp_path / "later"
    project.mkdir()
    async with asked(project) as client:
        assert "embassay index FOLDER" in await refused(client, "search", query="a")
        for words in ("one", "two"):
            with embassay.open(project / ".embassay") as home:
                home.set("default").upsert([{"id": "1", "text": words}], model="hash/128")
            found = await told(client, "search", query=words)
            assert [one["text"] for one in found["passages"]] == [words]
            (project / ".embassay").rename(tmp_path / words)
            if words == "one":
                assert "home_not_found" in await refused(client, "search", query="a")
        (tmp_path / "one").rename(project / ".embassay")  # another one, in the place of the one that is open
        assert [one["text"] for one in (await told(client, "search", query="a"))["passages"]] == ["one"]


@pytest.mark.anyio
async def test_what_is_long_comes_in_parts(project):
    with embassay.open(project / ".embassay") as home:
        text = "word " * 200_000
        notes = {f"field{at}": "x" * 2_000 for at in range(50)} | {"short": "kept"}
        home.set("big").upsert([{"id": "big", "text": text, "metadata": notes}], model="hash/128")
    async with asked(project) as client:
        done = await client.call_tool("search", {"query": "word", "set": "big", "k": 100})
        assert len(done.content[0].text) < 60_000
        first = done.structured_content["passages"][0]
        assert first["metadata"] == {"short": "kept"}
        assert done.structured_content["passages"][0].get("cut")
        deep = await client.call_tool(
            "search", {"query": "word", "set": "big", "pipeline": "lexical(9999) >> top(1000)"}
        )
        assert len(deep.structured_content["passages"]) == 100
        for deep in ("lexical(9999) >> top(1001)", "lexical(10001) >> top(5)", "dense(5) >> mmr(0.5, 99999) >> top(5)"):
            assert "usage" in await refused(client, "search", query="word", set="big", pipeline=deep)
        words, at = 0, 1
        while at:
            part = await told(client, "read_document", id="big", set="big", start=at, max_chars=100_000)
            assert sum(len(one["text"]) for one in part["parts"]) <= 100_000
            words += sum(one["text"].count("word") for one in part["parts"])
            at = part.get("next")
        assert words == 200_000


@pytest.mark.anyio
async def test_many_calls_at_once_are_answered(project):
    async with asked(project) as client, anyio.create_task_group() as calls:
        answers = []

        async def one(number):
            answers.append((await told(client, "search", query=f"key {number}", k=1))["set"])

        for number in range(20):
            calls.start_soon(one, number)
    assert answers == ["default"] * 20


def started(project):
    return subprocess.Popen(
        [sys.executable, "-m", "embassay", "mcp"],
        cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


def test_garbage_on_its_input_ends_nothing(project):
    with started(project) as process:
        for line in (
            "",
            "{",
            "[]",
            '{"jsonrpc":"2.0","id":9,"method":"nothing"}',
            "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
            "x" * 100_000,
        ):
            process.stdin.write(line + "\n")
        process.stdin.write(json.dumps(HELLO) + "\n")
        answers = []
        while not answers or answers[-1].get("id") != 1:
            answers.append(json.loads(process.stdout.readline()))
        assert answers[-1]["result"]["serverInfo"]["name"] == "embassay"
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err and not out.strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(project, number):
    with started(project) as process:
        process.stdin.write(json.dumps(HELLO) + "\n")
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
        assert "Traceback" not in process.stderr.read()


def test_it_ends_with_the_client_that_was_killed(project):
    """The client is a process that starts the server and is killed, as an agent may be."""
    script = (
        "import subprocess, sys, time\n"
        "server = subprocess.Popen([sys.executable, '-m', 'embassay', 'mcp'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        f"server.stdin.write({json.dumps(json.dumps(HELLO))}.encode() + b'\\n'); server.stdin.flush()\n"
        "server.stdout.readline(); print(server.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=project, stdout=subprocess.PIPE, text=True) as client:
        server = int(client.stdout.readline())
        client.kill()
    for _ in range(600):
        if not is_alive(server):
            return
        time.sleep(0.1)
    os.kill(server, signal.SIGKILL)
    raise AssertionError("the server outlived its client")


def is_alive(number):
    """A process that nobody has collected yet is dead."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_the_extra_the_line_that_installs_it_is_told(project):
    code = "import sys; sys.modules['mcp'] = None; sys.argv = ['embassay', 'mcp']; from embassay.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "pip install '.[mcp]'" in done.stderr and "Traceback" not in done.stderr
