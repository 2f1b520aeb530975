"""A chain of models: when one fails, the next answers, and the failed one is asked again after a while.

Members whose vectors of the canary texts agree (cosine at least 0.99) live in one space and stand in for each
other. A member of another space is used only where the caller passes `allow_other_space`; the result then names it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from embassay.embedders.base import Embedder, check_role
from embassay.errors import (
    AllFailed,
    CacheError,
    ConfigError,
    EmbassayError,
    ModelError,
    PluginError,
    ProviderError,
    SpaceMismatch,
    SpendCapReached,
    TextRefused,
    TextTooLong,
)
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.models.cache import VectorCache as Memory
    from embassay.types import Counts, Vectors

CANARIES = (
    "How do I rotate an access key?",
    "The committee postponed its decision until the spring.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Photosynthesis turns light, water and carbon dioxide into sugar.",
)
SAME_SPACE = 0.99
"""Least cosine between two models' vectors of a canary: numeric precision costs less, other weights much more."""
COOL_DOWN, LONGEST = 15.0, 300.0
"""Seconds until a failed member is tried again, at first and at most."""
WINDOW_TEXTS = 512

ABOUT_THE_CALL = (TextTooLong, TextRefused, SpendCapReached, CacheError)
"""No other member would do better, or none may be asked."""
ABOUT_THE_MEMBER = (ProviderError, ModelError, PluginError, ConfigError, SpaceMismatch)


class Breaker:
    """Remembers that something failed. Open: do not ask; after a while one caller may try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self.cause: EmbassayError | None = None

    def admits(self) -> bool:
        """Whether to ask now. While it is open, only the first caller after the pause gets through."""
        with self._lock:
            if not self._failures:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + COOL_DOWN
            return True

    def failed(self, cause: EmbassayError) -> None:
        with self._lock:
            self._failures += 1
            self._open_until = self._clock() + min(LONGEST, COOL_DOWN * 2 ** (self._failures - 1))
            self.cause = cause

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self.cause = 0, None


@dataclass(slots=True)
class Member:
    """One model of a chain."""

    name: str
    open: Callable[[], Embedder]
    breaker: Breaker
    equal: bool | None = None
    """Whether its space was proven to be the chain's; None: not yet."""

    def failed(self, error: EmbassayError, causes: dict[str, EmbassayError]) -> None:
        self.breaker.failed(error)
        causes[self.name] = error


class Fallback(Embedder):
    """The first member is the chain's own model: its space is the space of the chain."""

    def __init__(self, members: Mapping[str, Callable[[], Embedder]]) -> None:
        self._members = [Member(name, open_, Breaker()) for name, open_ in members.items()]
        self._members[0].equal = True
        self._canaries: Vectors | None = None
        self._true: Space | None = None
        self._assumed: Space | None = None
        self._may_ask = True
        self._lock = threading.Lock()

    @property
    def _first(self) -> Embedder:
        return self._members[0].open()

    def assume(self, space: Space) -> None:
        """What the chain's space was when its set was made: believed only while the first model cannot be asked."""
        with self._lock:
            if space != self._assumed:
                self._assumed = space
                self._forget()

    @property
    def space(self) -> Space:
        """The first model's own; where that is out of reach, what `assume` was told. Raises as the model does."""
        first = self._members[0]
        if self._true is None and (self._assumed is None or first.breaker.admits()):
            try:
                self._true = first.open().space
            except ABOUT_THE_MEMBER as error:
                if self._assumed is None:
                    raise
                first.breaker.failed(error)
        known = self._true or self._assumed
        assert known is not None
        return known

    @property
    def _known(self) -> Space | None:
        return self._true or self._assumed

    def _forget(self) -> None:
        """What was proven about another space."""
        if self._true is None:
            self._canaries = None
            for member in self._members[1:]:
                member.equal = None

    @property
    def name(self) -> str:
        return self._members[0].name

    @property
    def remote(self) -> bool:  # type: ignore[override]
        return self._first.remote

    @property
    def price(self) -> float | None:
        return self._first.price

    @property
    def precision(self) -> str:
        return self._first.precision

    @property
    def tokens(self) -> Counts:
        return self._first.tokens

    @property
    def memory(self) -> Memory | None:
        return self._first.memory

    def embed(
        self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate", *, allow_other_space: bool = False
    ) -> Embeddings:
        """Vectors of all texts by one member, so that they share a space.

        Raises AllFailed with the cause of each member; TextTooLong and TextRefused are about a text and are
        raised at once.
        """
        check_role(role)
        causes: dict[str, EmbassayError] = {}
        for member, embedder in self._ready(causes, allow_other_space=allow_other_space):
            try:
                made = embedder.embed(texts, role, on_long)
            except ABOUT_THE_CALL:
                raise
            except ABOUT_THE_MEMBER as error:
                member.failed(error, causes)
                continue
            return self._named(made, member)
        raise AllFailed(causes)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """Members of the chain's own space only: a stream never changes its space half-way.

        What a member made before it failed is kept, and the next goes on behind it.
        """
        check_role(role)
        source, start = iter(texts), 0
        while window := list(islice(source, WINDOW_TEXTS)):
            try:
                yield from self._stream(window, role, on_long)
            except TextTooLong as error:
                raise TextTooLong(start + error.position, error.tokens, error.limit) from error
            start += len(window)

    def close(self) -> None:
        """The members belong to whoever opened them."""

    def _stream(self, window: Sequence[str], role: Role, on_long: OnLong) -> Iterator[Embeddings]:
        causes: dict[str, EmbassayError] = {}
        done = 0
        for member, embedder in self._ready(causes, allow_other_space=False):
            try:
                for block in embedder.stream(window[done:], role, on_long):
                    yield self._named(block, member)
                    done += len(block)
            except TextTooLong as error:
                raise TextTooLong(done + error.position, error.tokens, error.limit) from error
            except ABOUT_THE_CALL:
                raise
            except ABOUT_THE_MEMBER as error:
                member.failed(error, causes)
                continue
            return
        raise AllFailed(causes)

    def _ready(self, causes: dict[str, EmbassayError], *, allow_other_space: bool) -> Iterator[tuple[Member, Embedder]]:
        """Members to ask, in order; of those that are not, `causes` is told why."""
        for member in self._members:
            if not member.breaker.admits():
                causes[member.name] = member.breaker.cause or ProviderError("it failed before.")
                continue
            try:
                embedder = member.open()
                if not self._is_equal(member, embedder) and not allow_other_space:
                    causes[member.name] = _other_space(member, embedder)
                    member.breaker.succeeded()
                    continue
            except ABOUT_THE_MEMBER as error:
                member.failed(error, causes)
                continue
            yield member, embedder

    def _named(self, made: Embeddings, member: Member) -> Embeddings:
        """The result under the member's name, in the chain's space where the member's is the same."""
        member.breaker.succeeded()
        if member is self._members[0]:
            self._true = self._true or made.space
            self._own_canaries()  # while it is well: they are needed when it is not
            return replace(made, model=member.name)  # in the space that it says: truth wins over what was assumed
        if not member.equal:
            return replace(made, model=member.name)
        vectors = made.vectors
        if self.space.normalised and not made.space.normalised:  # the same directions, not of the same length
            vectors = unit_rows(vectors)
        return replace(made, model=member.name, space=self.space, vectors=vectors)

    def _is_equal(self, member: Member, embedder: Embedder) -> bool:
        """Equal by identity, or proven by the canaries; where the first member cannot be asked, unproven is unequal."""
        if member.equal is None:
            if self._known is not None and embedder.space == self._known:
                member.equal = True
            elif (expected := self._own_canaries()) is not None:
                member.equal = agree(expected, embedder)
        return bool(member.equal)

    def _own_canaries(self) -> Vectors | None:
        """The first member's vectors of the canaries: from this process, from its cache, or, if it is well, from it."""
        with self._lock:
            first = self._members[0]
            if self._canaries is None and len(self._members) > 1:
                try:
                    well = first.breaker.cause is None
                    if not (well or self._known or self._may_ask):
                        return None  # its space may cost a request that fails: once is enough
                    self._may_ask = well
                    made = first.open().cached(CANARIES, "document", self._known)
                    if made is None and well:
                        made = first.open().embed(CANARIES, "document")
                    self._canaries = made.vectors if made else None
                except EmbassayError:
                    return None
            return self._canaries


def agree(expected: Vectors, embedder: Embedder) -> bool:
    """Whether `embedder` puts the canaries where `expected` has them. Raises what embedding raises."""
    import numpy as np

    got = embedder.embed(CANARIES, "document").vectors
    if got.shape != expected.shape:
        return False
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
    return bool((np.einsum("ij,ij->i", got, expected) >= SAME_SPACE * lengths).all())


def _other_space(member: Member, embedder: Embedder) -> SpaceMismatch:
    if member.equal is None:
        words = "whether it shares the first model's space cannot be told, as that one has never answered"
    else:
        words = f"its space is another one ({embedder.space})"
    return SpaceMismatch(f"{words}.")
