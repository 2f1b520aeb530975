"""So many texts a second at most, for work that others are not to suffer from."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from embassay.embedders.texts.blocks import windows
from embassay.embedders.wrap.wrapper import Wrapper

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings, OnLong, Role

STEP_SECONDS = 1.0
"""The texts of so long are embedded together, and stored before the next: a model that reads ahead would otherwise wait
until as many have come as it takes at once."""


class Paced(Wrapper):
    """Streams keep to the pace; a call for a few texts at once does not."""

    is_transparent = True

    def __init__(self, inner: Embedder, per_second: float, hurry: threading.Event) -> None:
        """`per_second` is above 0. Once `hurry` is set nothing is waited for any more: the work comes to its end."""
        super().__init__(inner)
        self._per_second, self._hurry = per_second, hurry

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        due = time.monotonic()
        for window in windows(texts, max(1, math.floor(self._per_second * STEP_SECONDS))):
            yield from self.inner.stream(window, role, on_long)
            due = max(due, time.monotonic() - STEP_SECONDS) + len(window) / self._per_second
            self._hurry.wait(max(0.0, due - time.monotonic()))
