"""What a failed answer means: which error it is, whether to ask again, and how long to wait before.

The rules are those of the providers' documentation and of their own clients (openai-python, cohere-python,
python-genai); each quirk is one row of a table.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from embassay.embedders.http.wire import error_in, message_of
from embassay.errors import (
    BadReply,
    KeyRejected,
    ProviderDown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
)
from embassay.remedy import Remedy

Action = Literal["retry", "split", "stop"]


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One failed attempt. `split`: too much in one request, or one bad text among others."""

    error: ProviderError
    action: Action
    wait: float | None = None
    """Seconds, as the provider asked."""
    too_long: bool = False
    """One text is above the token limit."""
    busy: bool = False
    """The provider wants fewer requests."""
    doubtful: bool = False
    """It may lie in one of the texts or in the service: whether it takes another text tells."""
    misplaced: bool = False
    """The address may be another one than the service's."""
    unanswered: bool = False
    """The request may have been served and billed, though no whole answer came."""

    def worded(self, message: str) -> FailedAttempt:
        """The same in other words."""
        error = type(self.error)(message, remedy=self.error.remedy, retry_at=self.error.retry_at)
        return replace(self, error=error)

    def mended(self, remedy: Remedy) -> FailedAttempt:
        """The same with another remedy."""
        return replace(self, error=type(self.error)(self.error.message, remedy=remedy, retry_at=self.error.retry_at))


_TOO_LONG = re.compile(
    r"context length|context window|too long|too many (input )?tokens|input is too large|longer than|maxLength"
    r"|less than \d+ (tokens|characters)|exceed\w* .{0,40}(token|context|length)|token limit|input token count"
    r"|size limited to|text_too_long",
    re.IGNORECASE,
)
_NO_QUOTA = re.compile(r"insufficient_quota|perday|per.?month|/ ?month|ServiceQuotaExceeded", re.IGNORECASE)
"""Of a 429 that waiting does not cure. Other words about plans and billing come with ordinary rate limits too."""
_NO_BALANCE = re.compile(r"insufficient.balance|quota|credit", re.IGNORECASE)
"""Of a 403."""
_KEY = re.compile(r"api[_ ]key[_ ](invalid|not valid)|API_KEY_INVALID|invalid api (key|token)", re.IGNORECASE)
_NO_NUMBER = re.compile(r"\bNaN\b|not JSON compliant|Out of range float", re.IGNORECASE)
"""Of a 5xx: the model made something of a text that is no vector, so that asking again changes nothing."""
_LOGIN = re.compile(r"log-?in|sign-?in|sso|oauth|/auth", re.IGNORECASE)
_BUSY_WORDS = re.compile(r"rate.?limit|too many requests|overloaded", re.IGNORECASE)
_CLIENT_500 = re.compile(r"input is too large to process|UnsupportedParamsError|invalid tokens", re.IGNORECASE)
"""Failures of the request that some servers report as their own."""
_IN_TEXT = re.compile(r"\b(?:retry|try again) (?:in|after) ((?:\d+(?:\.\d+)? ?[a-z]+,? ?)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?) ?(ms|[shd]|m(?!o))", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds of each: services write ``20s``, ``7m12s``, ``120ms`` and ``86400 seconds``."""
_RETRY_INFO = re.compile(rb'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"')

LONGEST_WAIT = 366 * 24 * 3600.0
"""Seconds; what asks for longer asks for this: no deadline allows it, and a message can show it."""
ASK_LESS = "Lower requests_per_minute, tokens_per_minute or concurrency."
"""The remedy where a provider wants fewer requests."""
RETRIED = frozenset({408, 409})
"""Besides 429, and 5xx other than 501."""


def read_failure(status: int, headers: Mapping[str, str], body: bytes, service: str) -> FailedAttempt:
    """The fault behind an answer whose status is not 2xx. `headers` are looked up in lower case."""
    message, code = message_of(body)
    code = " ".join(filter(None, [code, headers.get("x-amzn-errortype", "").split(":")[0]]))
    said = f"{service} answered {status}" + (f": {message.rstrip('.')}" if message else "") + "."
    evidence = f"{code} {message} {body[:4000].decode('utf-8', 'replace')}"
    key_refused = _KEY.search(f"{code} {message[:80]}") or b'"API_KEY_INVALID"' in body  # a text may speak of keys too
    if status in (401, 498) or (status in (400, 403) and key_refused):
        return FailedAttempt(KeyRejected(said, remedy="Check the key and what it may do."), "stop")
    if status == 402 or _is_exhausted(status, code, message, body):
        renewed = _moment(wait_asked(headers, body, message))
        return FailedAttempt(
            QuotaExhausted(said, remedy="Add credit, or wait until the quota is renewed.", retry_at=renewed), "stop"
        )
    if status == 403:  # or a firewall before the service does not like a text
        return FailedAttempt(KeyRejected(said, remedy="The key has no right to this model."), "stop", doubtful=True)
    if 300 <= status < 400:
        return _redirected(service, headers.get("location", "elsewhere"))
    if status >= 500 and _CLIENT_500.search(evidence):
        return FailedAttempt(RequestRefused(said), "split", too_long=bool(_TOO_LONG.search(evidence)))
    if status >= 500 and _NO_NUMBER.search(evidence):
        return FailedAttempt(BadReply(said), "split", doubtful=True)
    if status in (400, 413, 422):
        too_long = bool(_TOO_LONG.search(evidence)) and status != 413
        return FailedAttempt(RequestRefused(said), "split", too_long=too_long)
    if status == 429 or "throttl" in code.lower():
        wait = wait_asked(headers, body, message)
        refused = headers.get("x-should-retry") == "false"
        limited = RateLimited(said, remedy=ASK_LESS, retry_at=_moment(wait))
        return FailedAttempt(limited, "stop" if refused else "retry", wait, busy=True)
    if status in RETRIED or (status >= 500 and status != 501):
        refused = headers.get("x-should-retry") == "false"
        busy, wait = status in (503, 529), wait_asked(headers, body, message)
        return FailedAttempt(
            ProviderDown(said, retry_at=_moment(wait)),
            "stop" if refused else "retry",
            wait,
            busy=busy,
            doubtful=status >= 500 and not busy,
        )
    misplaced = status in (404, 405)
    remedy = "Check model_id and base_url." if misplaced else ""
    return FailedAttempt(RequestRefused(said, remedy=remedy), "stop", misplaced=misplaced)


def read_hidden_failure(
    headers: Mapping[str, str], body: bytes, service: str, wanted: str = "vectors"
) -> FailedAttempt | None:
    """The fault that a body speaks of under a status that says all is well; None where it speaks of none.

    `wanted`: what should be there.
    """
    words = error_in(body)
    if words is None:
        return None
    message, code = words
    said = f"{service} answered 200 with an error in place of {wanted}: {message.rstrip('.')}."
    status = re.search(r"\b[45]\d\d\b", code)
    if status:
        fault = read_failure(int(status[0]), headers, body, service)
        return fault.worded(said)
    if _TOO_LONG.search(message):
        return FailedAttempt(RequestRefused(said), "split", too_long=True)
    if _BUSY_WORDS.search(f"{code} {message}"):
        wait = wait_asked(headers, body, message)
        limited = RateLimited(said, remedy=ASK_LESS, retry_at=_moment(wait))
        return FailedAttempt(limited, "retry", wait, busy=True)
    action: Action = "split" if _NO_NUMBER.search(message) else "retry"
    return FailedAttempt(BadReply(said), action, doubtful=True, misplaced=True)


def _redirected(service: str, where: str) -> FailedAttempt:
    """No redirect is followed, because it could lead a key or texts elsewhere."""
    remedy = "Set base_url to it, without the path of the request."
    if _LOGIN.search(where):
        remedy = (
            "That is where people log in: check base_url and the key, and whether a proxy stands before the service."
        )
    return FailedAttempt(RequestRefused(f"{service} redirects to {where}.", remedy=remedy), "stop")


def _is_exhausted(status: int, code: str, message: str, body: bytes) -> bool:
    """By codes and quota ids: messages of ordinary rate limits speak of billing as well."""
    if status == 403:
        return bool(_NO_BALANCE.search(f"{code} {message}"))
    if status == 429:
        quotas = " ".join(re.findall(r'"quotaId"\s*:\s*"([^"]*)"', body.decode("utf-8", "replace")))
        return bool(
            _NO_QUOTA.search(f"{code} {quotas}") or re.search(r"calls? ?(/|per) ?month", message, re.IGNORECASE)
        )
    return status == 400 and "ServiceQuotaExceeded" in code


def wait_asked(headers: Mapping[str, str], body: bytes, message: str) -> float | None:
    """Seconds to wait, from ``retry-after-ms``, ``retry-after``, Google's RetryInfo, or the message's own words.

    Between 0 and `LONGEST_WAIT`; None where nothing that is a time was asked for.
    """
    if (ms := _seconds(headers.get("retry-after-ms"))) is not None:
        return ms / 1000
    after = headers.get("retry-after")
    if (seconds := _seconds(after)) is not None or (seconds := _until(after)) is not None:
        return seconds
    if info := _RETRY_INFO.search(body):
        return _seconds(info[1].decode())
    if reset := _seconds(headers.get("x-ratelimit-reset"), most=math.inf):  # Cohere: unix seconds
        return min(max(0.0, reset - time.time()), LONGEST_WAIT) if reset > 1e9 else None
    words = _IN_TEXT.search(message)
    parts = _PART.findall(words[1]) if words else []
    return min(LONGEST_WAIT, sum(float(n) * _UNITS[unit.lower()] for n, unit in parts)) if parts else None


def _moment(wait: float | None) -> float | None:
    """When a wait that begins now is over: seconds since 1970."""
    return None if wait is None else time.time() + wait


def _seconds(text: str | None, most: float = LONGEST_WAIT) -> float | None:
    """The number that `text` is, `most` where it is more; None for a negative one, NaN and anything else."""
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return min(value, most) if value >= 0 else None


def _until(date: str | None) -> float | None:
    """Seconds until a moment as HTTP writes it; 0 for one that is over, None for what is no date."""
    from email.utils import parsedate_to_datetime

    try:
        return min(max(0.0, parsedate_to_datetime(date or "").timestamp() - time.time()), LONGEST_WAIT)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
