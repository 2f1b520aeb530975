"""What a form asked for that cannot be: shown beside the form, which keeps what was filled in."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar

from embassay.errors import EmbassayError
from embassay.server.problems import Problem, is_its_own, problem_of
from embassay.server.refusals import KeyRefused, LimitReached, NotAllowed

T = TypeVar("T")
WHOLE = (KeyRefused, NotAllowed, LimitReached)
"""Refusals that are about the visitor: another page tells of them."""


@dataclass(frozen=True, slots=True)
class Tried(Generic[T]):
    """What came of it: one of both is None."""

    made: T | None
    problem: Problem | None

    @property
    def status(self) -> int:
        """Of the page that shows it."""
        return self.problem.status if self.problem else 200


async def tried(work: Awaitable[T]) -> Tried[T]:
    """The result, or why it cannot be. Raises what is the server's own failure, or about the visitor."""
    try:
        return Tried(await work, None)
    except EmbassayError as error:
        if isinstance(error, WHOLE) or is_its_own(error):
            raise
        return Tried(None, problem_of(error))
