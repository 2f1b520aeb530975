"""Alerts that are sent to an address: each opened and each ended one, once.

What has to be sent stands in the home, so that it survives whoever found it: the next process that delivers takes it.
Nothing waits for the address: neither a check nor a search.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay import jsontext, remedy
from embassay.embedders.http.destination import is_loopback
from embassay.errors import ConfigError, EmbassayError
from embassay.version import VERSION

if TYPE_CHECKING:
    import httpx

    from embassay.config.values import Config
    from embassay.sets.monitoring.notices import Notice
    from embassay.sets.monitoring.table import MonitoringTables

SECONDS, CONNECT_SECONDS = 10.0, 5.0
"""In which an address has to answer."""
MOST_AT_ONCE = 50
"""Notices that one call sends."""
_log = logging.getLogger("embassay.monitor")


@dataclass(frozen=True, slots=True)
class SentNotices:
    """What one call has sent."""

    sent: int = 0
    failed: int = 0


def checked_webhook(config: Config) -> str:
    """The address that alerts are sent to; empty for none.

    Raises ConfigNotAgreed for one of a file that nobody agreed to, and ConfigError for what is no address of http or
    https, or one that only the network of this machine itself has a meaning for.
    """
    import httpx

    address = config.told()
    if not address:
        return ""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise _no_address("it cannot be read") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise _no_address("it must begin with http:// or https:// and name a host")
    if _is_of_the_link(url.host):
        raise _no_address("the address of a link, of which clouds hand out secrets, is no webhook")
    return address


def body_of(notice: Notice) -> dict[str, object]:
    """What is sent: see `docs/monitoring.md`. It names the same `id` however often it is sent."""
    alert = notice.alert
    about = f"{alert.signal} ({alert.subject})" if alert.subject else alert.signal
    said = alert.evidence if notice.event == "opened" else alert.reason
    verb = "Alert" if notice.event == "opened" else "Alert has ended"
    step = f" {alert.remedy.in_shell()}" if notice.event == "opened" and alert.remedy else ""
    return {
        "id": f"{alert.id}-{notice.event}-{alert.since:.0f}",
        "event": notice.event,
        "text": f"{verb}: set {alert.set_name}, {about}: {said}{step}",
        "alert": alert.to_dict(),
    }


def deliver(
    tables: MonitoringTables,
    address: str,
    *,
    clock: Callable[[], float] = time.time,
    goes_on: Callable[[], bool] = lambda: True,
) -> SentNotices:
    """Send what is due, one after the other, as far as one does not arrive: that is due again after a pause, at most so
    many times, and the others when this is called next. Raises HomeError.
    """
    for count in range(MOST_AT_ONCE):
        notice = tables.take_notice(clock()) if goes_on() else None
        if notice is None:
            return SentNotices(count)
        fault = _post(address, notice)
        if not fault:
            tables.notice_sent(notice)
            continue
        if tables.notice_failed(notice, fault, clock()):
            _log.error("the webhook was not told of alert %d, and is not tried again: %s", notice.alert.id, fault)
        elif notice.tries == 1:
            _log.warning("the webhook could not be told of alert %d, and is tried again: %s", notice.alert.id, fault)
        return SentNotices(count, 1)
    return SentNotices(MOST_AT_ONCE)


def _post(address: str, notice: Notice) -> str:
    """Send one; empty where it has arrived, else why not. An address that answers drop by drop is given up in time."""
    import httpx

    body = body_of(notice)
    content = jsontext.dumps(body).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"embassay/{VERSION}",
        "Idempotency-Key": str(body["id"]),
    }
    found: list[str] = []
    try:
        limit = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
        client = httpx.Client(timeout=limit, trust_env=not is_loopback(httpx.URL(address).host))
    except (ValueError, OSError) as error:
        return f"{type(error).__name__}"
    thread = threading.Thread(
        target=lambda: found.append(_answer(client, address, content, headers)), name="webhook", daemon=True
    )
    with suppress(Exception), client:
        thread.start()
        thread.join(SECONDS + CONNECT_SECONDS)
    return found[0] if found else f"no answer within {SECONDS:g} seconds"


def _answer(client: httpx.Client, address: str, content: bytes, headers: dict[str, str]) -> str:
    """The status is read, and nothing else of the answer, however long that is. No redirect is followed."""
    import httpx

    try:
        if _is_of_the_link_now(httpx.URL(address).host):
            return "its name leads to the address of a link"
        with client.stream("POST", address, content=content, headers=headers, follow_redirects=False) as answer:
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
        return type(error).__name__
    if 200 <= status < 300:
        return ""
    return f"status {status}" + (", a redirect, which is not followed" if 300 <= status < 400 else "")


def _is_of_the_link(host: str) -> bool:
    """Whether a host is an address that has a meaning on the link of this machine alone, where clouds have services
    that hand out secrets, or none at all."""
    from ipaddress import ip_address

    try:
        found = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified


def _is_of_the_link_now(host: str) -> bool:
    """The same of the addresses that a name has; where it has none here, a proxy may know it."""
    import socket

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(_is_of_the_link(str(one[4][0])) for one in found)


def _no_address(why: str) -> ConfigError:
    return ConfigError(
        f"monitor.webhook cannot be used: {why}.",
        remedy=remedy.setting("monitor.webhook", "https://...", say="Set {}."),
    )


class Deliverer:
    """A thread that delivers, as long as a server runs. It is woken when there may be something, and ends by itself."""

    def __init__(self, tables: Callable[[], MonitoringTables], address: str, every: float = 5.0) -> None:
        self._tables, self._address, self._every = tables, address, every
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin: what others have left is sent first."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    def close(self, seconds: float = 1.0) -> None:
        """End, at once where nothing is being sent. What was not sent is by whoever comes next."""
        self._ended.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                deliver(self._tables(), self._address, goes_on=lambda: not self._ended.is_set())
            except EmbassayError as error:
                _log.debug("alerts could not be delivered: %s", error.code)
            self._woken.wait(self._every)
            self._woken.clear()
