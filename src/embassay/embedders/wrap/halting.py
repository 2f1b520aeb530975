"""Work that somebody else may stop: it ends with the next vectors that come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from embassay.embedders.wrap.wrapper import Wrapper

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings, OnLong, Role


class Halting(Wrapper):
    """Vectors that came are handed out, and no more are asked for once it is halted. Those under way are kept by
    whoever keeps them."""

    is_transparent = True

    def __init__(self, inner: Embedder, halted: threading.Event, error: Callable[[], Exception]) -> None:
        """Once `halted` is set, `error` makes what is raised."""
        super().__init__(inner)
        self._halted, self._error = halted, error

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        made = self.inner.stream(texts, role, on_long)
        with closing(made):  # type: ignore[type-var]
            for some in made:
                yield some
                if self._halted.is_set():
                    raise self._error()
