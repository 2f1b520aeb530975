"""The same text asked for twice at once is embedded once: later callers wait for the first."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.embedders.alongside import rebased
from embassay.embedders.base import Embedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.types import NO_USAGE, Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.types import Vectors

_Key = tuple[str, Role, OnLong]
_Row = tuple["Vectors", int, bool]


class Coalesced(Wrapper):
    """Shares texts between calls of `embed`. Streams pass through: a process reads each text of a stream once."""

    is_transparent = True

    remembers = True

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self._flying: dict[_Key, Future[_Row | None]] = {}
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """Texts that another thread is embedding right now are waited for, and count as cached."""
        check_role(role)
        if not texts:
            return self.inner.embed(texts, role, on_long)
        keys: list[_Key] = [(text, role, on_long) for text in texts]
        places: dict[_Key, int] = {}
        for at, key in enumerate(keys):
            places.setdefault(key, at)
        mine: dict[_Key, Future[_Row | None]] = {}
        others: dict[_Key, Future[_Row | None]] = {}
        with self._lock:
            for key in places:
                if key in self._flying:
                    others[key] = self._flying[key]
                else:
                    mine[key] = self._flying[key] = Future()
        led = self._lead(places, mine, role, on_long)
        if led and len(mine) == len(keys):
            return led
        rows = dict(zip(mine, _rows(led), strict=True)) if led else {}
        failed = []
        for key, future in others.items():
            row = future.result()
            if row is None:
                failed.append(key)
            else:
                rows[key] = row
        if failed:  # whoever asked first was refused, or stopped: that says nothing of this call
            made = self._made(places, failed, role, on_long)
            rows |= zip(failed, _rows(made), strict=True)
        return self._gathered(keys, rows, led, role, shared=len(keys) - len(mine))

    def _lead(
        self, places: Mapping[_Key, int], mine: dict[_Key, Future[_Row | None]], role: Role, on_long: OnLong
    ) -> Embeddings | None:
        """Embed what nobody else is embedding, and tell those who wait, whatever happens."""
        made = None
        try:
            made = self._made(places, list(mine), role, on_long) if mine else None
            return made
        finally:
            with self._lock:
                for key in mine:
                    del self._flying[key]
            found: Sequence[_Row | None] = _rows(made) if made and len(made) == len(mine) else [None] * len(mine)
            for future, row in zip(mine.values(), found, strict=True):
                future.set_result(row)

    def _made(self, places: Mapping[_Key, int], asked: Sequence[_Key], role: Role, on_long: OnLong) -> Embeddings:
        """Embed some of the texts, of which `places` says the first position in the call."""
        texts = [key[0] for key in asked]
        with rebased(lambda at: places[asked[at]]):
            return self.inner.embed(texts, role, on_long)

    def _gathered(
        self, keys: Sequence[_Key], rows: dict[_Key, _Row], led: Embeddings | None, role: Role, *, shared: int
    ) -> Embeddings:
        import numpy as np

        usage = led.usage if led else NO_USAGE
        return Embeddings(
            vectors=np.stack([rows[key][0] for key in keys]),
            tokens=[rows[key][1] for key in keys],
            truncated=[rows[key][2] for key in keys],
            space=self.space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(usage, cached=usage.cached + shared),
        )


def _rows(made: Embeddings) -> list[_Row]:
    """Copies: a caller may change what it got."""
    return [(made.vectors[at].copy(), made.tokens[at], made.truncated[at]) for at in range(len(made))]
