"""One request to a provider: its key, its headers, its time, and what may be shown of its answer."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.parse import urlsplit

from embassay import remedy
from embassay.config.secrets import expand
from embassay.embedders.http.faults import FailedAttempt, read_failure
from embassay.errors import BadReply, ConfigError, KeyMissing, ProviderDown, RequestRefused

if TYPE_CHECKING:
    import httpx

    from embassay.embedders.settings import HttpSettings

MAX_REPLY = 1 << 30
"""Bytes: more than any batch can give."""
CONNECT_SECONDS = 10.0
BACKOFF = 0.5
MAX_BACKOFF = 8.0
"""Seconds: the first and the longest pause between attempts, before jitter."""
GET_SECONDS, GET_TRIES = 30.0, 4
"""How long a server is asked what it runs, while it is loading."""


def backoff(attempt: int, asked: float | None) -> float:
    """Seconds to pause before attempt number `attempt`: as asked, else exponential with full jitter."""
    if asked is not None:
        return asked + random.uniform(0, 0.1)
    return random.uniform(0, min(MAX_BACKOFF, BACKOFF * 2**attempt))


Again = Callable[[FailedAttempt], None]


class Endpoint(Protocol):
    """What a connection needs to know of where it leads; `Api` is one."""

    settings: HttpSettings
    key_variables: ClassVar[Sequence[str]]

    def base_url(self) -> str:
        """Where requests go, without a slash at the end."""

    def needs_key(self) -> bool:
        """Whether nothing can be sent without a key."""

    def authorise(self, key: str) -> Mapping[str, str]:
        """Headers that carry the key, which may be empty."""

    def sign(self, url: str, body: bytes, key: str) -> Mapping[str, str]:
        """Headers that depend on the exact request; they are made anew for every attempt."""


class Connection:
    """A connection to one provider, for one model. Threads may share it; it is opened when it is first used."""

    def __init__(self, api: Endpoint, name: str) -> None:
        self._api, self._settings, self._name = api, api.settings, name
        self._lock = threading.RLock()
        self._client: httpx.Client | None = None

    def close(self) -> None:
        """Close it; the next request opens it again."""
        with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    def send(
        self, method: str, path: str, body: bytes = b"", deadline: float = float("inf")
    ) -> tuple[bytes, Mapping[str, str]] | FailedAttempt:
        """Body and headers of a good answer. The whole body has to come within the timeout, drop by drop or not."""
        import httpx

        base, _, query = self._api.base_url().partition("?")
        url = base + path + (("&" if "?" in path else "?") + query if query else "")
        try:
            seconds = max(0.01, min(self._settings.timeout, deadline - time.monotonic()))
            headers = {"Content-Type": "application/json"} if body else {}
            headers |= dict(self._api.authorise(self._key)) | {
                k: expand(v, k) for k, v in self._settings.headers.items()
            }
            headers |= self._api.sign(url, body, self._key)
            until = time.monotonic() + seconds
            limit = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
            with self._connected().stream(method, url, content=body or None, headers=headers, timeout=limit) as answer:
                received = bytearray()
                for part in answer.iter_bytes():
                    received += part
                    if time.monotonic() > until:
                        raise httpx.ReadTimeout("the answer came too slowly")
                    if len(received) > MAX_REPLY:
                        raise BadReply(f"{self._name}: the answer is longer than {MAX_REPLY:,} bytes.")
        except httpx.InvalidURL as error:
            raise RequestRefused(f"{self._name}: base_url is no address: {error}.", remedy="Check base_url.") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise RequestRefused(
                f"{self._name}: {self.hushed(str(error))}.", remedy="Check base_url and headers."
            ) from None
        except httpx.HTTPError as error:
            words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            down = ProviderDown(f"{self._name} at {_origin(url)} did not answer: {self.hushed(words)}.")
            sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
            return FailedAttempt(down, "retry", busy=isinstance(error, httpx.TimeoutException), unanswered=sent)
        except (ValueError, ImportError, OSError, RuntimeError) as error:  # of proxies, certificates, odd addresses
            words = self.hushed(f"{type(error).__name__}: {error}")
            raise ProviderDown(
                f"{self._name}: no request can be made: {words}.", remedy="Check base_url, headers and proxy settings."
            ) from None
        if answer.is_success:
            return bytes(received), answer.headers
        fault = read_failure(answer.status_code, answer.headers, bytes(received), self._name)
        hushed = type(fault.error)(self.hushed(fault.error.message), remedy=fault.error.remedy)
        return replace(fault, error=hushed)

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
        again: Again = lambda _: None,
    ) -> bytes:
        """The body of a good answer, after at most `tries` in `seconds`. Raises ProviderError.

        `again` is told of each failed attempt before the next one, and may raise to prevent it.
        """
        until = time.monotonic() + seconds
        attempt = 0
        while isinstance(answer := self.send(method, path, body, until), FailedAttempt):
            attempt += 1
            pause = backoff(attempt, answer.wait)
            if answer.action != "retry" or attempt >= tries or time.monotonic() + pause > until:
                raise answer.error
            again(answer)
            time.sleep(pause)
        return answer[0]

    def _connected(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._settings.concurrency)
                self._client = httpx.Client(limits=limits)
            return self._client

    def check_key(self) -> None:
        """Raises KeyMissing or ConfigError where a key is needed and there is none; nothing is sent."""
        _ = self._key

    @cached_property
    def _key(self) -> str:
        """The key, as set or from the environment. Raises KeyMissing where one is needed and there is none."""
        key = expand(self._settings.api_key, f"api_key of {self._name}") if self._settings.api_key else ""
        key = key or next((os.environ[name] for name in self._api.key_variables if os.environ.get(name)), "")
        if not key and self._api.needs_key():
            names = " or ".join(self._api.key_variables)
            raise KeyMissing(f"{self._name} needs a key.", remedy=remedy.environment(names.split(" or ")[0]))
        if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
            raise KeyMissing(f"the key of {self._name} holds characters that no key has.", remedy="Set it again.")
        return key

    def hushed(self, text: str) -> str:
        """`text` without keys and passwords, which services and libraries repeat in their messages."""
        for secret in self._secrets:
            for form in (secret, secret.replace("/", "\\/")):
                text = text.replace(form, "***")
        return text

    @cached_property
    def _secrets(self) -> list[str]:
        """What must not be shown, longest first, so that none is left in part."""
        found = [self._key, urlsplit(self._api.base_url()).password or ""]
        with suppress(ConfigError):
            found += [expand(text, name) for name, text in self._settings.headers.items()]
            found += [text.partition(" ")[2] for text in found]  # "Bearer ..."
        return sorted((secret for secret in found if len(secret) > 3), key=len, reverse=True)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
