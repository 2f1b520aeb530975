"""An embedder that tells how much it embedded, as long as somebody listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from embassay.embedders.base import Embedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.events import Embedded, Events
from embassay.types import Embeddings, OnLong, Role


class Observed(Wrapper):
    """Tells `Embedded` for every call of `embed` and every block of a stream."""

    is_transparent = True

    def __init__(self, inner: Embedder, events: Events) -> None:
        super().__init__(inner)
        self._events = events

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        made = self.inner.embed(texts, role, on_long)
        if self._events.wants(Embedded):
            self._tell(made)
        return made

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        for block in self.inner.stream(texts, role, on_long):
            if self._events.wants(Embedded):
                self._tell(block)
            yield block

    def _tell(self, made: Embeddings) -> None:
        usage = made.usage
        self._events.tell(Embedded(made.model, made.role, len(made), usage.cached, usage.tokens, usage.usd))
