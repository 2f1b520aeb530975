"""What is asked of a server as values, and what is done about an answer: pure, and the same for both clients.

`flow` is a generator: it yields what to send and how long to wait, and is told what came of it. A driver does the rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from embassay import remedy
from embassay.client.faults import ServerUnreachable, fault_of, is_passing
from embassay.errors import BadReply, EmbassayError

T = TypeVar("T")
Query = Mapping[str, str | int | float | bool | None]

FIRST_PAUSE, MOST_PAUSE = 0.25, 8.0
"""Seconds before the first repetition, and before any: each waits about twice as long as the one before."""


@dataclass(frozen=True, slots=True)
class ClientStep(Generic[T]):
    """One request, and how its answer is read."""

    method: str
    path: str
    """Below the address of the server, escaped."""
    parse: Callable[[bytes], T]
    query: Query = field(default_factory=dict)
    """None: left out."""
    body: bytes | None = None
    """JSON."""
    repeatable: bool = True
    """Whether it may be sent again where nobody knows if it arrived."""

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """The query string, by its names."""
        return {name: value for name, value in self.query.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ServerReply:
    """What a server answered."""

    status: int
    body: bytes
    retry_after: float | None
    """Seconds, where it said some."""


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer came."""

    error: EmbassayError
    unsent: bool
    """Whether the request surely never arrived."""


@dataclass(frozen=True, slots=True)
class Pause:
    """To be waited for."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Retries:
    """How long something is tried."""

    retries: int = 3
    """Repetitions at most."""
    wait: float = 30.0
    """Seconds at most before one of them: where a server asks for more, its refusal is raised instead."""


def flow(step: ClientStep[T], patience: Retries) -> Generator[ClientStep[T] | Pause, ServerReply | NoReply | None, T]:
    """Send it until it is answered, or there is no sense in that. Raises EmbassayError."""
    tried = 0
    while True:
        got = yield step
        assert got is not None, "a driver says what came of a request"
        if isinstance(got, ServerReply) and got.status < 400:
            return _read(step, got)
        failure, again, asked = _judged(step, got)
        wait = asked if asked is not None else _pause(tried)
        if not again or tried >= patience.retries or wait > patience.wait:
            raise failure
        tried += 1
        yield Pause(wait)


def retry_after(value: str | None) -> float | None:
    """The seconds of a Retry-After header; None where it has none."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


def unreachable(url: str, words: str) -> ServerUnreachable:
    """The error for a server that does not answer."""
    return ServerUnreachable(
        f"the server at {url} does not answer: {words or 'the connection was lost'}.",
        remedy=remedy.command("serve", say="Start one there"),
    )


def _judged(step: ClientStep[T], got: ServerReply | NoReply) -> tuple[EmbassayError, bool, float | None]:
    """(what is raised, whether it is sent again, how long the server wants to be left alone)"""
    if isinstance(got, NoReply):
        return got.error, got.unsent or step.repeatable, None
    failure = fault_of(got.status, got.body, got.retry_after)
    return failure, is_passing(got.status, failure, got.retry_after), got.retry_after


def _read(step: ClientStep[T], got: ServerReply) -> T:
    try:
        return step.parse(got.body)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
        raise BadReply(
            f"{step.method} {step.path}: the answer is none that was expected: {str(error)[:200]}.",
            remedy="Is it a server of embassay, and of this version?",
        ) from None


def _pause(tried: int) -> float:
    """Spread out, so that clients that were refused together do not come back together."""
    return min(MOST_PAUSE, FIRST_PAUSE * 2.0**tried) * random.uniform(0.5, 1.0)
