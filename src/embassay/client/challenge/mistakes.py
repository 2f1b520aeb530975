"""Requests that are wrong on purpose, and how a server has to answer them: named, in words, and never by failing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import msgspec

if TYPE_CHECKING:
    from embassay.client.challenge.served import ServedRoute

NOBODY = "nobody/knows-this-model"
BAD = (400, 403, 404, 405, 409, 413, 415, 422, 424)
METHODS = ("DELETE", "PATCH", "PUT", "POST", "GET")
NOWHERE = "/challenge/nothing-is-here"
NEARBY = frozenset(("/metrics",))
"""What a server shows to its own machine without a key."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong request."""

    method: str
    route: str
    """The path as the server describes it."""
    what: str
    path: str
    statuses: Collection[int]
    """One of which it has to be answered with."""
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def fault(self, reply: httpx.Response | str) -> str:
        """What is wrong with the answer, as a sentence; nothing where it is as it should be."""
        if isinstance(reply, str):
            return reply
        if reply.status_code not in self.statuses:
            return f"{self.what} is answered with status {reply.status_code}."
        try:
            said = msgspec.json.decode(reply.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return f"{self.what} is answered in words that are no JSON."
        if not said or "Traceback" in reply.text:
            return f"{self.what} is answered without a reason."
        if reply.status_code == 405 and not reply.headers.get("allow"):
            return "it does not say which methods it takes."
        return ""


def mistakes(routes: Sequence[ServedRoute], path_of: Callable[[str], str], *, keyed: bool) -> Iterator[Mistake]:
    """Every one that a server of these routes has to refuse; without a key only where it wants one (`keyed`)."""
    yield Mistake("GET", NOWHERE, "an unknown path", NOWHERE, (404,))
    methods = defaultdict(set)
    for route in routes:
        methods[route.path].add(route.method)
    for path, taken in methods.items():
        other = next(one for one in METHODS if one not in taken)
        yield Mistake(other, path, "a wrong method", path_of(path), (405,))
    for route in routes:
        path = path_of(route.path)
        if route.takes_body:
            yield Mistake(route.method, route.path, "broken JSON", path, BAD, b'{"a": ')
            yield Mistake(route.method, route.path, "a list of nothing", path, BAD, b"[[]]")
            xml = {"content-type": "application/xml"}
            yield Mistake(route.method, route.path, "XML", path, BAD, b"<a/>", xml)
        in_path = "{deployment}" in route.path  # which names the model, whatever the body says
        if isinstance(route.example, dict) and "model" in route.example and not in_path:
            wrong = msgspec.json.encode({**route.example, "model": NOBODY})
            yield Mistake(route.method, route.path, "an unknown model", path, BAD, wrong)
        if keyed and not route.is_open and route.path not in NEARBY:
            yield Mistake(route.method, route.path, "no key", path, (401,), headers={"authorization": ""})
