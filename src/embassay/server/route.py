"""The contract of a dialect: a module of `routes/` with routes, and the shape of its errors.

A module has ``ROUTES``, a sequence of `Route`, and ``failure(problem) -> (status, body)``, which words a `Problem` as
clients of that dialect expect it. Its docstring describes the dialect in the OpenAPI document. Nothing else has to be
touched: a file is its own registration, and an entry point of the group ``embassay.routes`` joins from elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from embassay.server.problems import Problem

Needs = Literal["open", "read", "write", "admin"]
"""What a key has to allow; ``open`` routes need none, and say nothing of anybody's data."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path."""

    method: Method
    path: str
    """With names in braces for its variable parts: ``/api/v1/embedding-sets/{name}``."""
    handle: Callable[..., Awaitable[object]]
    """Takes a `embassay.server.call.Call`. Gives what is encoded as JSON, or an `Answer`. Raises EmbassayError."""
    summary: str
    """One sentence for the OpenAPI document."""
    body: Any = None
    """What the JSON body is decoded to, a msgspec type; None for a route that takes none."""
    query: Any = None
    """The same for the query string: a Struct, whose fields are its parameters."""
    reply: Any = None
    """The type of what it gives; None where that is not described."""
    status: int = 200
    needs: Needs = "read"
    examples: Mapping[str, object] = field(default_factory=dict)
    """Bodies that work, by what they show."""
    media: str = "application/json"
    """Of the reply."""
    empty: Mapping[int, str] = field(default_factory=dict)
    """Statuses of replies without a body, and what they say."""
    open_near: bool = False
    """Whether it needs no key of a caller on the same machine, or where the server was told so: metrics."""
    page: bool = False
    """Whether it is for people, by a browser: its key may come in a cookie, no page of anybody else's may send it a
    form, and programs are not told of it in the OpenAPI document."""
    form: Any = None
    """What the fields of an HTML form are decoded to, a Struct, in the place of `body`. Empty fields are left out."""
    refuse: Callable[..., Answer] | None = None
    """Words an error by the `Call` and the `Problem`; None: the dialect's `failure` does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that says more than its body."""

    body: object = b""
    """Bytes as they are; else what is encoded as JSON."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"


class Dialect(Protocol):
    """A module of `routes/`."""

    __doc__: str | None
    ROUTES: Sequence[Route]

    def failure(self, problem: Problem) -> tuple[int, object] | Answer:
        """The status and the body of an error, as clients of this dialect expect them."""
