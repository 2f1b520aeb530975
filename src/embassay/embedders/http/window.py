"""Consecutive texts of a call, the batches that their parts go into, and the vectors that come back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from embassay.embedders.http.exchange import Meter
from embassay.embedders.texts.longtext import TextPart
from embassay.vectors import mean_of_parts

if TYPE_CHECKING:
    from embassay.embedders.http.api import Caps
    from embassay.types import OnLong, Role, Vectors


HANDED_OUT = 64
"""Texts that are handed out together at least, because the service may have to prove itself for each block of them."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all windows of one call share."""

    role: Role
    prompt: str
    on_long: OnLong
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when the caller wants no more."""


@dataclass(frozen=True, slots=True)
class Made:
    """The vector of a part, or why there is none."""

    part: TextPart
    vector: Vectors | None
    reason: str = ""


@dataclass(slots=True)
class Window:
    """Consecutive texts of a call that are handed out together, and the batches they go into."""

    texts: Sequence[str]
    counts: Sequence[int]
    """Tokens of each text, prompt included; 0 for a blank one, which is not sent."""
    start: int
    """Position of the first text in the call."""
    planned: Sequence[Sequence[TextPart]] = ()
    """The batches; each part is owned by its text's position in this window."""
    whole: frozenset[int] = frozenset()
    """Texts that are one part: their vectors are complete as they arrive."""
    meter: Meter = field(default_factory=Meter)
    batches: list[Future[list[Made]]] = field(default_factory=list)
    """What becomes of each batch."""
    split: set[int] = field(default_factory=set)
    """Texts that are split because the provider refused them whole, though the count here let them pass."""

    @property
    def ready(self) -> bool:
        """Whether `wait` returns at once."""
        return all(batch.done() for batch in self.batches)

    def wait(self) -> list[Made]:
        """What became of all parts. Raises what a batch raised."""
        return [one for batch in self.batches for one in batch.result()]

    def collect(
        self, made: Sequence[Made], dimensions: int, *, normalised: bool
    ) -> tuple[Vectors, list[bool], dict[int, str]]:
        """Vectors of the texts, which of them were cut, and why some were refused.

        A text that is blank or refused has the zero vector.
        """
        import numpy as np

        refused = dict(sorted((one.part.owner, one.reason) for one in made if one.vector is None))
        kept = [(one.part, one.vector) for one in made if one.vector is not None and one.part.owner not in refused]
        truncated = [False] * len(self.counts)
        for part, _ in kept:
            truncated[part.owner] |= part.truncated
        vectors = np.zeros((len(self.counts), dimensions), np.float32)
        if kept:
            owners, weights = [part.owner for part, _ in kept], [part.tokens for part, _ in kept]
            stacked = np.stack([vector for _, vector in kept])
            vectors = mean_of_parts(stacked, owners, weights, len(self.counts), normalised=normalised)
        return vectors, truncated, refused


def batches(parts: Sequence[TextPart], caps: Caps) -> Iterator[list[TextPart]]:
    """`parts` in lists that are each no more than one request may hold."""
    batch: list[TextPart] = []
    held = 0
    for part in parts:
        too_much = caps.tokens is not None and held + part.tokens > caps.tokens
        if batch and (len(batch) >= caps.inputs or too_much):
            yield batch
            batch, held = [], 0
        batch.append(part)
        held += part.tokens
    if batch:
        yield batch


def windows_of(
    texts: Sequence[str], counts: Sequence[int], start: int, planned: Sequence[Sequence[TextPart]]
) -> Iterator[Window]:
    """Consecutive texts with their batches in windows that are as small as can be: no text is in two of them.

    `start` is the position of the first text in the call. A text without a part goes with the one before it.
    """
    begin, held = 0, []
    for at, batch in enumerate(planned):
        held.append(batch)
        end = planned[at + 1][0].owner if at + 1 < len(planned) else len(texts)
        if end == len(texts) or (end > batch[-1].owner and end - begin >= HANDED_OUT):
            yield _window(texts[begin:end], counts[begin:end], start + begin, begin, held)
            begin, held = end, []
    if not planned:
        yield _window(texts, counts, start, 0, [])


def _window(
    texts: Sequence[str], counts: Sequence[int], start: int, begin: int, planned: Sequence[Sequence[TextPart]]
) -> Window:
    own = [[replace(part, owner=part.owner - begin) for part in batch] for batch in planned]
    parts = Counter(part.owner for batch in own for part in batch)
    return Window(texts, counts, start, own, frozenset(owner for owner, count in parts.items() if count == 1))
