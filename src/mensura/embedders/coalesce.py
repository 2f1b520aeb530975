"""The same text asked for twice at once is embedded once: later callers wait for the first."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from mensura.embedders.base import Embedder, check_role
from mensura.embedders.wrapper import Wrapper
from mensura.types import NO_USAGE, Embeddings, OnLong, Role

if TYPE_CHECKING:
    from mensura.types import Vectors

_Key = tuple[str, Role, OnLong]
_Row = tuple["Vectors", int, bool]


class Coalesced(Wrapper):
    """Whole calls of `embed`; streams pass through, as one process reads each text of a stream once."""

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self._flying: dict[_Key, Future[_Row]] = {}
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        check_role(role)
        keys: list[_Key] = [(text, role, on_long) for text in texts]
        mine: dict[_Key, Future[_Row]] = {}
        with self._lock:
            rows: dict[_Key, Future[_Row]] = {}
            for key in keys:
                if key not in rows and key in self._flying:
                    rows[key] = self._flying[key]
                elif key not in rows:
                    rows[key] = mine[key] = self._flying[key] = Future()
        if len(mine) == len(keys):
            return self._lead(list(mine), role, on_long, mine)
        led = self._lead(list(mine), role, on_long, mine) if mine else None
        return self._gather(keys, rows, led, role)

    def _lead(self, keys: Sequence[_Key], role: Role, on_long: OnLong, mine: dict[_Key, Future[_Row]]) -> Embeddings:
        """Embed what nobody else is embedding, and tell those who wait."""
        try:
            made = self.inner.embed([key[0] for key in keys], role, on_long)
        except BaseException as error:
            with self._lock:
                for key in keys:
                    del self._flying[key]
            for key in keys:
                mine[key].set_exception(error)
            raise
        for at, key in enumerate(keys):
            mine[key].set_result((made.vectors[at], made.tokens[at], made.truncated[at]))
        with self._lock:
            for key in keys:
                del self._flying[key]
        return made

    def _gather(
        self, keys: Sequence[_Key], rows: dict[_Key, Future[_Row]], led: Embeddings | None, role: Role
    ) -> Embeddings:
        import numpy as np

        got = [rows[key].result() for key in keys]
        usage = led.usage if led else NO_USAGE
        return Embeddings(
            vectors=np.stack([vector for vector, _, _ in got]),
            tokens=[tokens for _, tokens, _ in got],
            truncated=[truncated for _, _, truncated in got],
            space=self.space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(usage, cached=usage.cached + len(keys) - (len(led) if led else 0)),
        )
