"""Asks a server everything that it serves, and says of each route whether the answer is what it should be."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import msgspec

from embassay.client.calls import escaped
from embassay.client.challenge.asks import IN_ORDER, JOBS, MODEL_FIELDS, OTHERS, SETS, Ask, part
from embassay.client.challenge.mistakes import mistakes
from embassay.client.challenge.served import ServedRoute, routes_of
from embassay.client.challenge.shapes import SHAPES
from embassay.client.connecting import ServerPlace
from embassay.client.steps import unreachable
from embassay.errors import BadReply
from embassay.text import printable
from embassay.types import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

WAIT, EVERY = 120.0, 0.2
"""Seconds for which a job is waited for, and between looks at it."""
DOCUMENT = "keys"
"""A document of the examples."""
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class RouteFinding:
    """What came of one request."""

    method: str
    path: str
    """As the server describes it, with names in braces."""
    what: str
    """``example``, or the mistake that was made on purpose."""
    status: int
    """Of HTTP; 0 where no answer came."""
    milliseconds: float
    problem: str = ""
    """What is wrong, as a sentence; empty where nothing is."""
    note: str = ""
    """Why it says less than it could: there is no reranker here, the key does not allow it."""

    def to_dict(self) -> dict[str, object]:
        """The finding as JSON has it."""
        plain = {name: getattr(self, name) for name in ("method", "path", "what", "status", "problem", "note")}
        return plain | {"milliseconds": round(self.milliseconds, 1), "ok": not self.problem}


class Challenge:
    """One look at a server. What it makes there it removes again."""

    def __init__(self, url: str, key: str | None = None, timeout: float = 60.0) -> None:
        """Raises UsageError for what is no address."""
        self.place = ServerPlace(url, key, timeout)
        self._known: dict[str, Value] = {"set": f"challenge-{secrets.token_hex(4)}", "document": DOCUMENT}
        self._has_set = True

    def run(self, told: Callable[[RouteFinding], None] = lambda _: None) -> list[RouteFinding]:
        """What was found, in the order in which it was asked; `told` of each at once.

        Raises ServerUnreachable, and BadReply where it does not describe itself.
        """
        found: list[RouteFinding] = []

        def note(one: RouteFinding) -> None:
            found.append(one)
            told(one)

        with self._open() as http:
            routes = self._routes(http)
            model = self._model(http)
            self._known |= {"model": model, "short": model.rpartition("/")[2], "hybrid": f"{model}@hybrid"}
            try:
                for route in in_order(routes):
                    note(self._asked(http, route))
            finally:
                self._clear(http)
            for one in mistakes(routes, self._path_of, keyed=self.place.key is not None):
                reply, ms = self._sent(http, one.method, one.path, one.content, one.headers)
                note(RouteFinding(one.method, one.route, one.what, _status(reply), ms, one.fault(reply)))
        return found

    @contextmanager
    def _open(self) -> Iterator[httpx.Client]:
        accept = {"accept": "application/json, text/event-stream"}
        headers = {**self.place.headers, **accept}
        with httpx.Client(headers=headers, timeout=self.place.timeout, trust_env=False) as http:
            yield http

    def _routes(self, http: httpx.Client) -> list[ServedRoute]:
        reply, _ = self._sent(http, "GET", "/openapi.json")
        if not isinstance(reply, httpx.Response):
            raise unreachable(self.place.url, reply)
        try:
            return routes_of(msgspec.json.decode(reply.content))
        except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
            raise BadReply(
                f"{self.place.url}/openapi.json does not describe a server.", remedy="Is it one of embassay?"
            ) from None

    def _model(self, http: httpx.Client) -> str:
        """A model that is served: the default one, as far as the server says which that is."""
        reply, _ = self._sent(http, "GET", "/api/v1/embedding-configs")
        configs = _json(reply).get("data") if isinstance(reply, httpx.Response) else None
        names = [one for one in configs if isinstance(one, dict)] if isinstance(configs, list) else []
        chosen = next((one for one in names if one.get("is_default")), names[0] if names else {})
        return str(chosen.get("id", "minilm"))

    def _asked(self, http: httpx.Client, route: ServedRoute) -> RouteFinding:
        ask = IN_ORDER.get(route.key) or OTHERS.get(route.key) or Ask()
        empty = RouteFinding(route.method, route.path, "example", 0, 0.0)
        if ask.needs_set and not self._has_set:
            return replace(empty, note="not tried: no set could be made")
        if ask.until:
            self._await(http, ask.until)
        path = self._path_of(route.path)
        query = {name: str(self._filled(value)) for name, value in ask.query.items()}
        body = self._body(route, ask)
        content = None if body is None else msgspec.json.encode(body)
        reply, ms = self._sent(http, route.method, path, content, query=query)
        finding = replace(empty, status=_status(reply), milliseconds=ms)
        if not isinstance(reply, httpx.Response):
            return replace(finding, problem=reply)
        if reply.status_code >= 400:
            return self._refused(route, ask, reply, finding)
        answer = _json(reply, whole=True)
        for name, at in ask.keeps.items():
            self._known[name] = answer.get(at, "none") if isinstance(answer, dict) else "none"
        return replace(finding, problem=_fault(route, reply, answer))

    def _refused(self, route: ServedRoute, ask: Ask, reply: httpx.Response, finding: RouteFinding) -> RouteFinding:
        """A refusal that says something of this server, and nothing of the route, is no fault."""
        said = printable(reply.text)[:2_000]
        if reply.status_code == 403:
            self._has_set = self._has_set and route.key != ("POST", SETS)
            return replace(finding, note="the key does not allow it")
        if reply.status_code < 500 or reply.status_code == 501:
            for words, meaning in ask.refusals.items():
                if words in said:
                    return replace(finding, note=meaning)
        if route.key == ("POST", SETS):
            self._has_set = False
        return replace(finding, problem=f"status {reply.status_code}: {said[:300]}")

    def _body(self, route: ServedRoute, ask: Ask) -> Value:
        if ask.body is not None:
            return self._filled(dict(ask.body))
        if not isinstance(route.example, dict):
            return route.example
        known = {name: self._known["model"] for name in MODEL_FIELDS if name in route.example and not ask.needs_set}
        return self._filled({**route.example, **known, **ask.fill})

    def _filled(self, value: Value) -> Value:
        if isinstance(value, str) and value.startswith("$"):
            return self._known.get(value[1:], "none")
        if isinstance(value, dict):
            return {name: self._filled(one) for name, one in value.items()}
        return value

    def _path_of(self, path: str) -> str:
        return _PART.sub(lambda found: escaped(str(self._filled(part(path, found[1])))), path)

    def _await(self, http: httpx.Client, states: Sequence[str]) -> None:
        """A job that was halted by the route for that is gone on with: its process may have needed a moment to end."""
        job = f"{JOBS}/{quote(str(self._known.get('job', 'none')))}"
        ended = time.monotonic() + WAIT
        while time.monotonic() < ended:
            reply, _ = self._sent(http, "GET", job)
            state = _json(reply).get("state", states[0]) if isinstance(reply, httpx.Response) else states[0]
            if state in states:
                return
            if state == "paused":
                self._sent(http, "POST", f"{job}/resume")
            time.sleep(EVERY)

    def _clear(self, http: httpx.Client) -> None:
        """Its own set goes, whatever came in between."""
        if self._has_set:
            self._sent(http, "DELETE", f"{SETS}/{self._known['set']}")

    def _sent(
        self,
        http: httpx.Client,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[httpx.Response | str, float]:
        """The answer, or why there is none, and how long it took in milliseconds."""
        said = {"content-type": "application/json"} if content is not None else {}
        wanted = {**said, **(headers or {})}
        started = time.perf_counter()
        reply: httpx.Response | str
        try:
            request = http.build_request(
                method, self.place.url.rstrip("/") + path, params=query or None, content=content, headers=wanted
            )
            if wanted.get("authorization") == "":
                del request.headers["authorization"]
            reply = http.send(request)
        except httpx.HTTPError as error:
            reply = f"no answer came: {str(error) or type(error).__name__}."
        return reply, (time.perf_counter() - started) * 1e3


def in_order(routes: Sequence[ServedRoute]) -> list[ServedRoute]:
    """Those that build on one another in the order in which they do, and before them all others."""
    there = {route.key: route for route in routes}
    return [*(one for one in routes if one.key not in IN_ORDER), *(there[key] for key in IN_ORDER if key in there)]


def _fault(route: ServedRoute, reply: httpx.Response, answer: Value) -> str:
    if str(reply.status_code) not in route.statuses:
        return f"status {reply.status_code} is not described: {', '.join(route.statuses)}."
    if not reply.content:
        return ""
    media = reply.headers.get("content-type", "").partition(";")[0]
    if media not in route.media:
        return f"it is {media or 'of no kind'}, and described as {', '.join(route.media)}."
    if media == "application/json" and answer is _NO_JSON:
        return "it is no JSON."
    shape = SHAPES.get(route.key)
    return shape.fault(answer) if shape else ""


_NO_JSON: Value = {"no": "json"}


def _json(reply: httpx.Response, *, whole: bool = False) -> dict[str, Value]:
    try:
        found = msgspec.json.decode(reply.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = _NO_JSON
    return found if whole or isinstance(found, dict) else {}


def _status(reply: httpx.Response | str) -> int:
    return reply.status_code if isinstance(reply, httpx.Response) else 0
