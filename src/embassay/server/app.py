"""Requests to handlers, and what comes of them to replies: the ASGI application."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from embassay import plugins
from embassay.embedders.wrap.batched import DEADLINE
from embassay.embedders.wrap.payers import PAYERS
from embassay.errors import DeadlinePassed, EmbassayError, Interrupted, SetNotFound
from embassay.events import REQUEST, Answered, RequestBegan
from embassay.server.call import Call
from embassay.server.keys.audit import AuditEntry
from embassay.server.keys.entrance import UNIX
from embassay.server.keys.pages import page_headers, preflight
from embassay.server.keys.principal import ANYONE
from embassay.server.keys.spend import purpose_of
from embassay.server.keys.visits import check_own_page, token_of
from embassay.server.paths import Path, Paths
from embassay.server.problems import Problem, is_its_own, problem_of
from embassay.server.refusals import MethodNotAllowed, RequestInvalid, RouteNotFound
from embassay.server.route import Answer, Dialect, Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.server.keys.guard import Guard
    from embassay.server.service import Service

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

ROUTES = "embassay.server.routes"
DEFAULT_DIALECT = "openai"
"""In whose shape errors are told at a path that belongs to nobody."""
GONE_AFTER = 0.05
"""Seconds of work after which the server looks whether the client is still there: most requests end before."""
CLIENT_GONE = 499
AUDITED, REFUSED = frozenset({"write", "admin"}), frozenset({401, 403, 421, 429})
"""Rights of routes, and statuses, of which the audit log is told."""
_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_NONE: Mapping[str, str] = MappingProxyType({})
_log = logging.getLogger("embassay.server")


class App:
    """What uvicorn runs. It belongs to one loop."""

    def __init__(self, service: Service, guard: Guard) -> None:
        self.service, self.guard = service, guard
        self.dialects: Mapping[str, Dialect] = plugins.load_all(ROUTES)
        self.paths = Paths()
        served = [(name, one, route) for name, one in self.dialects.items() for route in one.ROUTES]
        for one in served:
            self.paths.add(*one)
        service.served = [one for one in served if not one[2].page]
        self._none = Path(DEFAULT_DIALECT, self.dialects[DEFAULT_DIALECT], "")
        self._encoder = msgspec.json.Encoder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Connections of other kinds are refused by whoever calls this."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path, parts = self.paths.find(scope["method"], scope["path"], headers) or (self._none, _NONE)
        given = headers.get("x-request-id", "")
        call = Call(self.service, ANYONE, _NO_ROUTE, given if _ID.fullmatch(given) else secrets.token_hex(8))
        call.path, call.headers, call.client = parts, headers, _peer(scope) or UNIX
        call.port = (scope.get("server") or ("", 0))[1] or 0
        call.target, call.is_safe = _target(scope), scope.get("scheme") == "https"
        started = time.perf_counter()
        self.service.in_flight += 1
        self._begin(path, call, scope["method"])
        problem: Problem | None = None
        try:
            answer = await self._answer(path, call, scope, receive)
        except _ClientGone:
            answer, problem = Answer(status=CLIENT_GONE), Problem(CLIENT_GONE, "client_gone", "")
        except asyncio.CancelledError:  # the server ends, and the time in which requests could is over
            ended = Interrupted("the server ends, and this was not done by then.", remedy="Send it again.")
            problem = problem_of(ended)
            answer = self._failed(path, call, problem, ended)
        except Exception as error:
            call.refused_key = getattr(error, "key", "")
            problem = problem_of(self._worded_for(call, error))
            if not isinstance(error, EmbassayError):
                _log.exception("request %s failed", call.id)
            answer = self._failed(path, call, problem, error)
        finally:
            self.service.in_flight -= 1
        call.reply_headers.update(self.guard.headers(call.principal))
        self._audit(call, scope["method"], answer.status, problem.code if problem else "")
        try:
            if answer.status != CLIENT_GONE:
                await self._send(answer, call, send)
        finally:
            self._tell(path, call, scope["method"], answer.status, time.perf_counter() - started, problem)

    async def _answer(self, path: Path, call: Call, scope: Scope, receive: Receive) -> Answer:
        heads, caller = self.guard.enter(scope["headers"], _peer(scope))
        call.client = caller.address
        if heads.origin:
            call.reply_headers.update(page_headers(self.guard.entrance, heads.origin))
            if scope["method"] == "OPTIONS" and "access-control-request-method" in call.headers:
                return Answer(status=204, headers=preflight())
        call.route = path.route(scope["method"], scope["path"])
        token = heads.token
        if call.route.page:
            check_own_page(heads, scope["method"])
            token = token or token_of(call.headers, self.guard.store)
        if call.route.needs != "open" and not (call.route.open_near and self.guard.entrance.shows_metrics(caller)):
            call.principal = self.guard.principal_of(token, caller)
            call.principal.check(call.route.needs)
            self.guard.charge(call.principal)
            if call.principal.id:
                PAYERS.set(((purpose_of(call.principal.id), 1.0),))
        seconds = _seconds(call.headers, self.service.limits.seconds)
        DEADLINE.set(time.monotonic() + seconds)
        reader = path.readers[call.route.method]
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                call.query = reader.query(scope["query_string"])
                call.body = await reader.body(call.headers, receive, self.service.limits.body)
                made = await _while_wanted(call.route.handle(call), receive)
        except TimeoutError:
            if limit.expired():
                raise DeadlinePassed(f"there was no answer within {seconds:g} seconds.") from None
            raise
        return made if isinstance(made, Answer) else Answer(made, call.route.status, media=call.route.media)

    def _worded_for(self, call: Call, error: Exception) -> Exception:
        """A set that is not there, in words that name neither the folder of the home nor the sets of others; what
        fails at the server itself stands in the log in its own words."""
        if isinstance(error, SetNotFound) and str(self.service.home.folder) in error.message:
            return call.principal.no_set(call.set)
        if isinstance(error, EmbassayError) and is_its_own(error):
            _log.warning("request %s: %s: %s", call.id, error.code, error)
        return error

    def _failed(self, path: Path, call: Call, problem: Problem, error: BaseException) -> Answer:
        refuse = call.route.refuse
        answer = refuse(call, problem) if refuse else _answer_of(path.dialect.failure(problem))
        headers = {**problem.headers, **answer.headers}
        if isinstance(error, MethodNotAllowed):
            headers["allow"] = ", ".join(error.allowed)
        if answer.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Answer(answer.body, answer.status, headers, answer.media)

    def refused(self, error: EmbassayError) -> tuple[int, bytes]:
        """The status and the body of an error about what has not become a request yet."""
        answer = _answer_of(self._none.dialect.failure(problem_of(error)))
        return answer.status, self._encoder.encode(answer.body)

    async def _send(self, answer: Answer, call: Call, send: Send) -> None:
        body = answer.body if isinstance(answer.body, bytes) else self._encoder.encode(answer.body)
        headers = [(b"content-length", str(len(body)).encode()), (b"x-request-id", call.id.encode("latin-1"))]
        if body:
            headers.append((b"content-type", answer.media.encode("latin-1")))
        for name, value in {**call.reply_headers, **answer.headers}.items():
            headers.append((name.encode("latin-1"), value.encode("latin-1", "replace")))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _begin(self, path: Path, call: Call, method: str) -> None:
        REQUEST.set(call.id)
        events = self.service.session.events
        if events.wants(RequestBegan):
            trace = call.headers.get("traceparent", ""), call.headers.get("tracestate", "")
            events.tell(RequestBegan(call.id, method, path.path, *trace))

    def _tell(self, path: Path, call: Call, method: str, status: int, seconds: float, problem: Problem | None) -> None:
        events = self.service.session.events
        if events.wants(Answered):
            code = problem.code if problem else ""
            route = call.route.path
            key = call.principal.id
            about = call.set, call.model, call.texts, call.tokens
            events.tell(Answered(call.id, path.name, method, route, status, seconds, key, code, *about))

    def _audit(self, call: Call, method: str, status: int, code: str) -> None:
        """Note what changes something, is for administrators, or was refused."""
        if (
            call.route.needs in AUDITED
            or call.changes
            or status in REFUSED
            or (code and call.principal.sets is not None)
        ):
            key, name = (call.principal.id, call.principal.name) if call.principal.id else (call.refused_key, "")
            route, set, model = call.route.path, call.set, call.model
            self.guard.audit.note(
                AuditEntry(
                    method, route, status, key, name, call.client, set=set, model=model, code=code, request=call.id
                )
            )


class _ClientGone(Exception):
    """Nobody waits for the answer any more."""


async def _while_wanted(work: Awaitable[object], receive: Receive) -> object:
    """The result of `work`, which is cancelled when the client goes. Raises _ClientGone then."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait((task,), timeout=GONE_AFTER)
        if not done:
            gone = asyncio.ensure_future(_gone(receive))
            try:
                await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
            if not task.done():
                raise _ClientGone
        return task.result()
    finally:
        if not task.done():
            task.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer_of(failure: tuple[int, object] | Answer) -> Answer:
    return failure if isinstance(failure, Answer) else Answer(failure[1], failure[0])


async def _nothing(_: Call) -> object:
    raise RouteNotFound("nothing is served here.")


_NO_ROUTE = Route("GET", "", _nothing, "")
"""Stands for the route of a request until one is found."""


def _peer(scope: Scope) -> str | None:
    """The address that a request comes from; None for a Unix socket."""
    client = scope.get("client")
    return client[0] if client else None


def _target(scope: Scope) -> str:
    """The path and the query string of a request, as it brought them."""
    path, query = (scope.get(name) or b"" for name in ("raw_path", "query_string"))
    return (path + b"?" + query if query else path).decode("latin-1")


def _seconds(headers: Mapping[str, str], most: float) -> float:
    """Within how many seconds a client wants its answer. Raises RequestInvalid."""
    given = headers.get("x-request-timeout")
    if given is None:
        return most
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise RequestInvalid(f"x-request-timeout is {given[:40]!r}, it must be a number of seconds.")
    return min(most, seconds)
