"""A chain of models: when one fails, the next answers, and the failed one is asked again after a while.

Members whose vectors of the canary texts agree live in one space and stand in for each other. A member of another
space is used only where the caller passes `allow_other_space`; the result then names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.canaries import Anchor, CanaryMemory
from embassay.embedders.alongside import rebased
from embassay.embedders.base import Embedder
from embassay.embedders.texts.blocks import windows
from embassay.embedders.wrap.breaker import Breaker
from embassay.embedders.wrap.members import ABOUT_THE_MEMBER, Member, Proof, SharedSpace
from embassay.errors import (
    AllFailed,
    CacheError,
    EmbassayError,
    ProviderError,
    SpaceMismatch,
    SpendCapReached,
    TextRefused,
    TextTooLong,
)
from embassay.events import SILENCE, Events, FellBack, Warned
from embassay.space import Space
from embassay.types import Counts, Embeddings, OnLong, Role, check_role
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.engine.token_states import TokenStates
    from embassay.types import Vectors

REPEATED_TEXTS = 512
"""Texts of a stream that are held until their vectors are there, so that another member can make them."""

ABOUT_THE_CALL = (TextTooLong, TextRefused, SpendCapReached, CacheError)
"""No other member would do better, or none may be asked."""


class Fallback(Embedder):
    """The first member is the chain's own model: its space is the space of the chain."""

    def __init__(
        self,
        members: Mapping[str, Callable[[], Embedder]],
        memory: CanaryMemory | None = None,
        breaker: Callable[[], Breaker] = Breaker,
        *,
        anchor: Anchor | None = None,
        differ: Callable[[str], str] = lambda _: "",
        events: Events = SILENCE,
    ) -> None:
        """`members`: what opens each, by name. `memory` remembers where the first one put the canaries.

        `anchor`: where it did when the set was made that the chain is for. `differ` says why a member cannot be the
        first model, whatever the canaries say; empty where nothing speaks against it. `events` are told when another
        model than the first has answered.
        """
        self._members = [Member(name, open_, breaker()) for name, open_ in members.items()]
        for member in self._members[1:]:
            member.difference = differ(member.name)
        self._anchored = anchor is not None
        self._events = events
        self._space = SharedSpace(self._members[0], memory, anchor, alone=len(members) == 1)

    @property
    def _first(self) -> Embedder:
        return self._members[0].open()

    def assume(self, space: Space) -> None:
        """What the chain's space was when its set was made: believed only while the first model cannot be asked."""
        if self._space.assume(space):
            for member in self._members[1:]:
                member.equal = None

    @property
    def proofs(self) -> Mapping[str, Proof]:
        """Members of other spaces by name that were proven to put texts where the first model does, and how."""
        return {member.name: member.proof for member in self._members if member.equal and member.proof}

    @property
    def is_anchored(self) -> bool:
        return self._anchored

    @property
    def is_trusted(self) -> bool:
        """Whether the first model is trusted. The others have to prove themselves to the chain anyway."""
        return self._first.is_trusted

    @property
    def former_space(self) -> Space:
        return self._first.former_space

    def canaries(self, role: Role) -> Vectors:
        return self._first.canaries(role)

    @property
    def space(self) -> Space:
        """The first model's own; where that is out of reach, what `assume` was told. Raises as the model does."""
        return self._space.get()

    @property
    def name(self) -> str:
        return self._members[0].name

    @property
    def remote(self) -> bool:  # type: ignore[override]
        """Whether texts leave this process for the first model."""
        return self._first.remote

    @property
    def price(self) -> float | None:
        return self._first.price

    @property
    def precision(self) -> str:
        return self._first.precision

    @property
    def tokens(self) -> Counts:
        """The first model's tokenizer: chunks are cut for it."""
        return self._first.tokens

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
        start = 0
        for window in windows(texts, REPEATED_TEXTS):
            causes: dict[str, EmbassayError] = {}
            done = 0
            for member, embedder in self._ready(causes, allow_other_space=False):
                try:
                    with rebased((start + done).__add__):
                        for block in embedder.stream(window[done:], role, on_long):
                            yield self._named(block, member)
                            done += len(block)
                except ABOUT_THE_CALL:
                    raise
                except ABOUT_THE_MEMBER as error:
                    member.failed(error, causes)
                    continue
                break
            else:
                raise AllFailed(causes)
            start += len(window)

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:
        """Those of the first model: the others share the space of its vectors, and not that of its tokens."""
        return self._first.token_states(texts, role)

    def check_ready(self) -> None:
        """Raise what the first model lacks; the others are asked only when they are needed."""
        self._first.check_ready()

    def close(self) -> None:
        """The members belong to whoever opened them."""

    def _ready(self, causes: dict[str, EmbassayError], *, allow_other_space: bool) -> Iterator[tuple[Member, Embedder]]:
        """Members to ask, in order; of those that are not, `causes` is told why."""
        for member in self._members:
            if not member.breaker.admits():
                causes[member.name] = member.breaker.cause or ProviderError("it failed before.")
                continue
            try:
                embedder = member.open()
                first = member is self._members[0]
                if not first and not self._space.includes(member, embedder) and not allow_other_space:
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
            self._space.learn(made.space)  # while it is well: that is needed when it is not
            return replace(made, model=member.name)  # in the space that it says: truth wins over what was assumed
        self._tell(member)
        if not member.equal:
            return replace(made, model=member.name)
        vectors = made.vectors
        if self.space.normalised and not made.space.normalised:  # the same directions, not of the same length
            vectors = unit_rows(vectors)
        return replace(made, model=member.name, space=self.space, vectors=vectors)

    def _tell(self, member: Member) -> None:
        """That a stand-in has answered, and why. Whoever listens hears of one failure once, see `Session.notices`."""
        first = self._members[0]
        cause = f" ({first.breaker.cause.message.rstrip('.')})" if first.breaker.cause else ""
        space = "the same space" if member.equal else "another space"
        self._events.tell(FellBack(first.name, member.name))
        self._events.tell(Warned(f"{first.name} did not answer{cause}: {member.name} made vectors of {space} instead."))


def _other_space(member: Member, embedder: Embedder) -> SpaceMismatch:
    if member.difference:
        words = member.difference
    elif member.equal is None:
        words = "whether it shares the first model's space cannot be told, as that one has never answered"
    else:
        words = f"its space is another one ({embedder.space})"
    return SpaceMismatch(f"{words}.")
