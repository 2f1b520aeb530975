"""One request to a provider: its key, its headers, its time, and what may be shown of its answer."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from embassay import remedy
from embassay.embedders.http.credentials import Credentials, Keyed, SecretUse, Told
from embassay.embedders.http.destination import check_encrypted, check_place, is_loopback, origin, whole_url
from embassay.embedders.http.faults import FailedAttempt, read_failure
from embassay.embedders.http.reach import Reach
from embassay.errors import BadReply, KeyRejected, ProviderDown, RequestRefused

if TYPE_CHECKING:
    import httpx

MAX_REPLY = 1 << 30
"""Bytes: more than any batch can give."""
CONNECT_SECONDS = 5.0
BACKOFF = 0.5
MAX_BACKOFF = 8.0
"""Seconds: the first and the longest pause between attempts, before jitter."""
GET_SECONDS, GET_TRIES = 30.0, 4
"""How long a server is asked what it runs, while it is loading."""


def backoff(attempt: int, asked: float | None) -> float:
    """Seconds to pause before attempt number `attempt`: exponential with jitter, or longer where that was asked for.

    The least is half of the exponential, whatever the service asks: one that says "at once" is under load all the same.
    """
    own = min(MAX_BACKOFF, BACKOFF * 2.0 ** min(attempt - 1, 10)) * random.uniform(0.5, 1)
    return own if asked is None else max(own, asked + random.uniform(0, 0.1))


Failed = Callable[[FailedAttempt, bool], None]
"""Told of a failed attempt, and whether another one follows."""


class Endpoint(Keyed, Protocol):
    """What a connection needs to know of where it leads; `Api` is one."""

    def authorise(self, key: str) -> Mapping[str, str]:
        """Headers that carry the key, which may be empty."""

    def sign(self, url: str, body: bytes, key: str) -> Mapping[str, str]:
        """Headers that depend on the exact request; they are made anew for every attempt."""

    def meant_url(self, path: str) -> str:
        """The base URL that was probably meant where this one leads to no service; empty where nothing tells."""


class Connection:
    """A connection to one provider, for one model. Threads may share it; it is opened when it is first used."""

    def __init__(self, api: Endpoint, name: str) -> None:
        self._api, self._settings, self._name = api, api.settings, name
        self._credentials = Credentials(api, name)
        self._reach = Reach()
        self._lock = threading.RLock()
        self._clients: dict[bool, httpx.Client] = {}

    def close(self) -> None:
        """Close it; the next request opens it again."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def send(
        self, method: str, path: str, body: bytes = b"", deadline: float = float("inf")
    ) -> tuple[bytes, Mapping[str, str]] | FailedAttempt:
        """Body and headers of a good answer. The whole body has to come within the timeout, drop by drop or not.

        A key that is refused is read again from where it came, and tried once more where it is another one. Raises
        ConfigError where nothing may be sent there, KeyMissing, RequestRefused, ProviderDown, BadReply.
        """
        url = self._url(path)
        check_place(self._api, url, self._name)
        if (barred := self._reach.barred()) is not None:
            return barred
        told = self._credentials.told()
        answer = self._attempt(method, url, body, deadline, told)
        if isinstance(answer, FailedAttempt) and isinstance(answer.error, KeyRejected):
            fresh = self._credentials.renewed(told)
            if fresh is not None:
                return self._attempt(method, url, body, deadline, fresh)
        return answer

    def _attempt(
        self, method: str, url: httpx.URL, body: bytes, deadline: float, told: Told
    ) -> tuple[bytes, Mapping[str, str]] | FailedAttempt:
        import httpx

        try:
            headers = self._headers(url, body, told)
            seconds = max(0.01, min(self._settings.timeout, deadline - time.monotonic()))
            answer, received = self._received(method, url, body, headers, seconds)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise RequestRefused(
                f"{self._name}: {self.hushed(str(error))}.", remedy="Check base_url and headers."
            ) from None
        except httpx.HTTPError as error:
            words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            no_connection = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            down = ProviderDown(
                f"{self._name} at {origin(url)} did not answer: {self.hushed(words)}.",
                remedy="Check base_url, and whether the service runs." if no_connection else "",
            )
            sent = not (no_connection or isinstance(error, httpx.PoolTimeout))
            late = isinstance(error, httpx.TimeoutException)
            fault = FailedAttempt(down, "retry", busy=late, doubtful=sent and not late, unanswered=sent)
            if no_connection:
                return self._reach.refused(fault)
            self._reach.reached()
            return fault
        except (ValueError, ImportError, OSError, RuntimeError) as error:  # of proxies, certificates, odd addresses
            words = self.hushed(f"{type(error).__name__}: {error}")
            raise ProviderDown(
                f"{self._name}: no request can be made: {words}.", remedy="Check base_url, headers and proxy settings."
            ) from None
        self._reach.reached()
        if answer.is_success:
            return received, answer.headers
        fault = read_failure(answer.status_code, answer.headers, received, self._name)
        return fault.worded(self.hushed(fault.error.message))

    def _headers(self, url: httpx.URL, body: bytes, told: Told) -> dict[str, str]:
        """Raises ConfigError where they would carry a secret without encryption."""
        signed = dict(self._api.sign(str(url), body, told.key))
        if signed or self._credentials.has_secret():
            check_encrypted(self._api, url, self._name)
        kind = {"Content-Type": "application/json"} if body else {}
        return kind | dict(self._api.authorise(told.key)) | dict(told.headers) | signed

    def _received(
        self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> tuple[httpx.Response, bytes]:
        """An answer, and all of its body. No redirect is followed: it could lead a key to another host."""
        import httpx

        until = time.monotonic() + seconds
        limit = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        client, received = self._client(direct=is_loopback(url.host)), bytearray()
        with client.stream(
            method, url, content=body or None, headers=headers, timeout=limit, follow_redirects=False
        ) as answer:
            for part in answer.iter_bytes():
                received += part
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer came too slowly")
                if len(received) > MAX_REPLY:
                    raise BadReply(f"{self._name}: the answer is longer than {MAX_REPLY:,} bytes.")
        return answer, bytes(received)

    def get(self, path: str) -> bytes:
        """The body of a good answer to a GET of `path`, asked again while the service loads. Raises ProviderError."""
        return self.asked("GET", path, tries=GET_TRIES, seconds=min(self._settings.deadline, GET_SECONDS))

    def asked(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        tries: int,
        seconds: float,
        failed: Failed = lambda *_: None,
    ) -> bytes:
        """The body of a good answer, after at most `tries` in `seconds`. Raises ProviderError.

        `failed` is told of each failed attempt, and whether another one follows, which it may raise to prevent.
        """
        until = time.monotonic() + seconds
        attempt = 0
        while isinstance(answer := self.send(method, path, body, until), FailedAttempt):
            attempt += 1
            pause = backoff(attempt, answer.wait)
            goes_on = answer.action == "retry" and attempt < tries and time.monotonic() + pause <= until
            failed(answer, goes_on)
            if not goes_on:
                raise self.placed(answer, path).error
            time.sleep(pause)
        return answer[0]

    def placed(self, fault: FailedAttempt, path: str) -> FailedAttempt:
        """A fault of the first request to `path`, with the address that was probably meant in its remedy."""
        url = self._api.meant_url(path) if fault.misplaced else ""
        return fault.mended(remedy.setting("base_url", self.hushed(url), say="Try {}.")) if url else fault

    def check_key(self, path: str = "") -> None:
        """Raises KeyMissing or ConfigError where a key is needed and there is none, or may not be sent to `path`.

        Nothing is sent.
        """
        url = self._url(path)
        check_place(self._api, url, self._name)
        if self._credentials.has_secret():
            check_encrypted(self._api, url, self._name)

    def secrets(self, path: str = "") -> list[SecretUse]:
        """Every secret that a request to `path` would carry, and where to; nothing is read or sent."""
        return self._credentials.uses(origin(self._url(path)))

    def hushed(self, text: str) -> str:
        """`text` without keys and passwords, which services and libraries repeat in their messages."""
        return self._credentials.hushed(text)

    def _url(self, path: str) -> httpx.URL:
        import httpx

        try:
            return whole_url(self._api.base_url(), path)
        except (httpx.InvalidURL, UnicodeError) as error:
            said = self.hushed(str(error))
            raise RequestRefused(f"{self._name}: base_url is no address: {said}.", remedy="Check base_url.") from None

    def _client(self, *, direct: bool) -> httpx.Client:
        """`direct`: past every proxy, as a proxy would take what was meant for this machine to another one."""
        import httpx

        with self._lock:
            if direct not in self._clients:
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._settings.concurrency)
                past_proxies = dict.fromkeys(("http://", "https://", "all://")) if direct else None
                self._clients[direct] = httpx.Client(limits=limits, mounts=past_proxies)
            return self._clients[direct]
