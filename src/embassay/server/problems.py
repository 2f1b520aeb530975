"""What went wrong, as every dialect is told of it: a status of HTTP, a stable code, words, and a remedy."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from embassay import errors, jsontext
from embassay.errors import EmbassayError
from embassay.remedy import Option, Remedy
from embassay.server import refusals
from embassay.text import printable, without_files

STATUSES: dict[type[EmbassayError], int] = {
    errors.EmbassayError: 500,
    errors.UsageError: 400,
    errors.ConfigError: 500,
    errors.PluginError: 501,
    errors.ModelError: 503,
    errors.ModelNotFound: 404,
    errors.ModelUnsupported: 501,
    errors.DimensionsRefused: 400,
    errors.TextTooLong: 400,
    errors.ProviderError: 502,
    errors.KeyMissing: 503,
    errors.KeyRejected: 503,
    errors.QuotaExhausted: 503,
    errors.RateLimited: 503,
    errors.ProviderDown: 503,
    errors.RequestRefused: 502,
    errors.TextRefused: 400,
    errors.SpendCapReached: 402,
    errors.CacheError: 503,
    errors.LedgerError: 503,
    errors.SpaceMismatch: 409,
    errors.HomeError: 503,
    errors.HomeNotFound: 404,
    errors.SetNotFound: 404,
    errors.SetInUse: 409,
    errors.SetMoved: 503,
    errors.MigrationState: 409,
    errors.StoreError: 503,
    refusals.RequestError: 400,
    refusals.MediaUnsupported: 415,
    refusals.RequestTooLarge: 413,
    refusals.HeadTooLarge: 431,
    refusals.HeadTimedOut: 408,
    refusals.RouteNotFound: 404,
    refusals.NotFound: 404,
    refusals.NameTaken: 409,
    refusals.MethodNotAllowed: 405,
    refusals.KeyRefused: 401,
    refusals.NotAllowed: 403,
    refusals.LimitReached: 429,
    refusals.HostRefused: 421,
    refusals.OriginRefused: 403,
    refusals.KeysError: 503,
    errors.Overloaded: 429,
    errors.DeadlinePassed: 504,
    errors.Interrupted: 503,
    errors.ReadError: 400,
}
"""The status of each class of errors, and of those below it that have none of their own."""
OF_FILES = (errors.HomeError, errors.StoreError, errors.CacheError, errors.LedgerError, errors.ConfigError)
"""Failures whose words name files of the server, which are nobody else's business."""
ITS_OWN = (*OF_FILES, errors.ModelError, errors.PluginError, refusals.KeysError)
"""Failures of the server itself, where their status says so."""
INTERNAL = "internal"
"""The code of a defect of ours, of which a client is told nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is not answered."""

    status: int
    code: str
    message: str
    remedy: str = ""
    place: str = ""
    """Of the value that is wrong, in the body or the query string."""
    retry_after: float | None = None
    """Seconds until it may work."""

    @property
    def sentence(self) -> str:
        """What is wrong and what helps, in one line."""
        return " ".join(f"{self.message} {self.remedy}".split())

    @property
    def headers(self) -> dict[str, str]:
        """What HTTP says of it beside the body."""
        return {} if self.retry_after is None else {"retry-after": str(max(1, math.ceil(self.retry_after)))}


def problem_of(error: BaseException) -> Problem:
    """`error` as a client may read it. Whatever nobody foresaw is told without its words: they may quote anything."""
    if not isinstance(error, EmbassayError):
        return Problem(500, INTERNAL, "the server failed; its log says why.")
    status = _status_of(error)
    after = getattr(error, "retry_after", None)
    at = getattr(error, "retry_at", None)
    if after is None and at is not None:
        after = max(0.0, at - time.time())
    place = str(getattr(error, "place", ""))
    message, remedy = printable(error.message), printable(worded(error.remedy))
    if isinstance(error, OF_FILES) or is_its_own(error):
        message, remedy = without_files(message), without_files(remedy)
    return Problem(status, error.code, message, remedy, place, after)


def is_its_own(error: BaseException) -> bool:
    """Whether the server itself is what fails, which nothing that a client sends will mend."""
    return isinstance(error, ITS_OWN) and not isinstance(error, errors.SetMoved) and _status_of(error) >= 500


def _status_of(error: EmbassayError) -> int:
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def worded(remedy: Remedy) -> str:
    """A remedy for whoever sent a request: commands as they are typed, and options as fields of JSON."""
    words = []
    for part in remedy.parts:
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, Option):
            words.append(f'"{part.name}": {jsontext.dumps(part.value)}')
        else:
            words.append(part.in_shell())
    return "".join(words)
