"""What both clients know of their server: where it is, the key, how long they wait; and httpx's answers as ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from embassay.client.steps import ClientStep, NoReply, Retries, ServerReply, retry_after, unreachable
from embassay.errors import DeadlinePassed, UsageError
from embassay.version import VERSION

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

SPARE = 0.5
"""Seconds by which the server is to be done before its client stops waiting."""


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """A server, as it is asked."""

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    """Seconds until a request has to be answered."""
    patience: Retries = field(default_factory=Retries)

    def __post_init__(self) -> None:
        """Raises UsageError for what is no address, or no number of seconds."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{self.url[:200]!r} is no address of a server; one is http://127.0.0.1:8080.")
        if not 0 < self.timeout < 1e6:
            raise UsageError(f"timeout is {self.timeout}; it must be a number of seconds.")
        if self.key is not None and not (self.key.isascii() and self.key.isprintable()):
            raise UsageError("the key has signs that no key has.")

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        known = {"user-agent": f"embassay/{VERSION}", "accept": "application/json"}
        known["x-request-timeout"] = f"{max(0.1, self.timeout - SPARE):g}"
        return known | ({"authorization": f"Bearer {self.key}"} if self.key else {})

    def request(self, client: httpx.Client | httpx.AsyncClient, step: ClientStep[T]) -> httpx.Request:
        """A step as httpx sends it."""
        headers = {} if step.body is None else {"content-type": "application/json"}
        url = self.url.rstrip("/") + step.path
        return client.build_request(
            step.method, url, params=step.parameters or None, content=step.body, headers=headers
        )

    def lost(self, error: httpx.HTTPError) -> NoReply:
        """What a failure of the line means."""
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return NoReply(DeadlinePassed(f"the server did not answer within {self.timeout:g} seconds."), unsent=False)
        return NoReply(
            unreachable(self.url, str(error)), unsent=isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        )


def reply_of(response: httpx.Response) -> ServerReply:
    """What was answered, whole."""
    return ServerReply(response.status_code, response.content, retry_after(response.headers.get("retry-after")))
