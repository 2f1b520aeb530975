"""Errors of requests that cannot be answered as they stand: a branch of the tree in `embassay.errors`.

RequestError
├── RequestInvalid        its body, or a value in it, is not what the route takes
├── MediaUnsupported      its body is of a kind that the route does not take
├── RequestTooLarge       it is larger than the server takes
├── RouteNotFound         nothing is served at this path
├── MethodNotAllowed      the path takes other methods
├── KeyRefused            no key, or one that is not valid
└── NotAllowed            the key does not give this right
"""

from __future__ import annotations

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


class MediaUnsupported(RequestError):
    pass


class RequestTooLarge(RequestError):
    pass


class RouteNotFound(RequestError):
    pass


class MethodNotAllowed(RequestError):
    """Carries the methods that the path takes."""

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class KeyRefused(RequestError):
    pass


class NotAllowed(RequestError):
    pass
