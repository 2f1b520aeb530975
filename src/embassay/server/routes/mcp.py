"""The Model Context Protocol, for agents: the tools search, list_sets, read_document, explain and feedback, over
streamable HTTP without sessions. A key sees the sets that it may read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

import msgspec

from embassay.agents.base import Desk
from embassay.extras import needed
from embassay.server.call import Call
from embassay.server.problems import Problem
from embassay.server.route import Answer, Route
from embassay.server.service import AGENTS

if TYPE_CHECKING:
    from embassay.agents.http import Replied
    from embassay.server.keys.principal import Right

PATH = "/mcp"
REFUSED = -32000
"""The code of JSON-RPC for what the server itself refuses."""
Replying = Callable[..., Awaitable["Replied"]]
Serving = Callable[..., object]
LEFT_OUT = frozenset(("content-type", "content-length"))
"""Headers of the reply that are written with it."""


class Message(msgspec.Struct, omit_defaults=True):
    """A message of JSON-RPC: a request, or a notification where it has no id."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Served:
    """A server, in which tools do for a key what other routes do."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def check_reranker(self, name: str) -> None:
        """Raises ModelNotFound, NotAllowed."""
        self._call.service.models.find_reranker(name, self._call.principal)

    def charged(self, texts: Sequence[str]) -> AbstractContextManager[object]:
        """Texts count against the tokens of the key. Raises LimitReached."""
        return self._call.service.charged(self._call, texts)

    def about(self, set: str) -> None:
        """For the log and the metrics."""
        self._call.set = set


class Holder:
    """The holder of the key: what a tool asks to change stands in the audit log."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def may(self, right: Right, *, set: str | None = None, model: str | None = None) -> bool:
        """See `Principal.may`."""
        return self._call.principal.may(right, set=set, model=model)

    def check(self, right: Right, *, set: str | None = None, model: str | None = None) -> None:
        """See `Principal.check`."""
        if right != "read":
            self._call.changes, self._call.set = True, set or ""
        self._call.principal.check(right, set=set, model=model)


@cache
def _loaded() -> tuple[Replying, Serving]:
    """What speaks the protocol. Raises PluginError where that is not installed."""
    with needed("MCP", "mcp"):
        from embassay.agents.http import replied
        from embassay.agents.server import make_server
    return replied, make_server


async def message(call: Call) -> Answer:
    """Hand a message to the tools, and its answer back."""
    service = call.service
    if not _loaded.cache_info().currsize:
        await service.in_worker(_loaded)  # that takes most of a second, for which nobody else is to wait
    replied, make_server = _loaded()

    run = partial(service.in_worker_for, AGENTS)
    server = make_server(lambda: Desk(service.home, Holder(call), Served(call)), run)
    handed = {name: value for name, value in call.headers.items() if name == "accept" or name.startswith("mcp-")}
    headers = {**handed, "content-type": "application/json"}  # keys are nothing for the SDK
    reply = await replied(server, PATH, headers, msgspec.json.encode(call.body), service.limits.body)
    shown = {name: value for name, value in reply.headers.items() if name not in LEFT_OUT}
    return Answer(reply.body, reply.status, shown, reply.headers.get("content-type", "application/json"))


def failure(problem: Problem) -> tuple[int, object]:
    """An error of JSON-RPC, with the code and the remedy as its data."""
    error = {
        "code": REFUSED,
        "message": problem.sentence,
        "data": {"code": problem.code, "remedy": problem.remedy, "place": problem.place},
    }
    return problem.status, {"jsonrpc": "2.0", "id": None, "error": error}


ROUTES = (
    Route(
        "POST",
        PATH,
        message,
        "A message of an agent",
        body=Message,
        empty={202: "A notification was taken; it has no answer."},
        examples={
            "what tools there are": {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/list",
            },
            "a search": {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": {"name": "search", "arguments": {"query": "when are keys rotated"}},
            },
        },
    ),
)
