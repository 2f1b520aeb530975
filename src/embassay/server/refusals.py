"""Errors of requests that cannot be answered as they stand: a branch of the tree in `embassay.errors`.

RequestError
├── RequestInvalid        its body, or a value in it, is not what the route takes
│   └── InputEmpty        there is no text in it, or one of them is empty
├── MediaUnsupported      its body is of a kind that the route does not take
├── RequestTooLarge       it is larger than the server takes
├── HeadTooLarge          its path and its headers are
├── HeadTimedOut          they do not come to an end
├── RouteNotFound         nothing is served at this path
├── NotFound              what the path names is not there: a document, a job
├── NameTaken             there is something of this name already
├── MethodNotAllowed      the path takes other methods
├── KeyRefused            no key, or one that is not valid
├── NotAllowed            the key does not give this right
├── LimitReached          the key has taken what it may take in a minute
├── HostRefused           it came in by a name that is none of the server's
├── OriginRefused         a page in a browser asks that nobody allowed
└── KeysError             the keys of the server cannot be read or written, so that nobody is let in
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from embassay.errors import EmbassayError
from embassay.remedy import Remedy


class RequestError(EmbassayError):
    pass


class RequestInvalid(RequestError):
    """Carries the place of the value that is wrong, as ``input[3]``; empty where that is the body as a whole."""

    details = ("place",)

    def __init__(self, message: str, *, place: str = "", remedy: Remedy | str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.place = place


class InputEmpty(RequestInvalid):
    pass


class MediaUnsupported(RequestError):
    pass


class RequestTooLarge(RequestError):
    pass


class HeadTooLarge(RequestError):
    pass


class HeadTimedOut(RequestError):
    pass


class RouteNotFound(RequestError):
    pass


class NotFound(RequestError):
    pass


class NameTaken(RequestError):
    pass


class MethodNotAllowed(RequestError):
    """Carries the methods that the path takes."""

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class KeyRefused(RequestError):
    """`key` is the id of a key that was good once, for the audit log alone."""

    def __init__(self, message: str, *, remedy: Remedy | str = "", key: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.key = key


class NotAllowed(RequestError):
    pass


class LimitReached(RequestError):
    """Carries from when on there is enough of the limit again, in seconds since 1970."""

    details = ("retry_at",)

    def __init__(self, message: str, wait: float, retry_at: float) -> None:
        super().__init__(message, remedy=f"Send it again in {max(1, math.ceil(wait))} s.")
        self.retry_after, self.retry_at = wait, retry_at


class HostRefused(RequestError):
    pass


class OriginRefused(RequestError):
    pass


class KeysError(RequestError):
    pass
