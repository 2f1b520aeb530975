"""An embedder that tells how much it embedded, as long as somebody listens."""

from __future__ import annotations

import time
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
        started = time.perf_counter()
        made = self.inner.embed(texts, role, on_long)
        if self._events.wants(Embedded):
            self._tell(made, time.perf_counter() - started)
        return made

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        started = time.perf_counter()
        for block in self.inner.stream(texts, role, on_long):
            if self._events.wants(Embedded):
                self._tell(block, time.perf_counter() - started)
            yield block
            started = time.perf_counter()

    def _tell(self, made: Embeddings, seconds: float) -> None:
        usage, cut = made.usage, sum(made.truncated)
        spent = usage.cached, usage.tokens, usage.usd
        self._events.tell(Embedded(made.model, made.role, len(made), *spent, truncated=cut, seconds=seconds))
