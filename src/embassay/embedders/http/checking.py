"""What of a reply can be vectors of the model, and what is no vector of its text."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.embedders.http.faults import FailedAttempt
from embassay.errors import BadReply
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.embedders.http.api import Reply
    from embassay.types import Vectors


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """A reply of which at least one row can be a vector of the model: float32 (n, dimensions)."""

    vectors: Vectors
    truncated: Sequence[bool] | None
    model: str = ""
    """What the service calls its model; empty where it does not say."""
    faults: Mapping[int, str] = field(default_factory=dict)
    """Row to reason where no vector of the text came; that row is zero."""


class ReplyCheck:
    """Holds the replies of one model against what its vectors are like. Threads may share it."""

    def __init__(self, name: str, dimensions: int | None, *, normalised: bool) -> None:
        self._name, self._normalised = name, normalised
        self.dimensions = dimensions
        """Of every vector; learnt from the first where nobody knows."""
        self._lock = threading.Lock()

    def __call__(self, reply: Reply, count: int, model: str) -> CheckedReply | FailedAttempt:
        """The reply to `count` texts, with the rows that are no vectors named.

        A fault where none is one, where it cannot be told which vector belongs to which text, and where they are those
        of another model.
        """
        import numpy as np

        vectors = np.asarray(reply.vectors, np.float32)
        if vectors.ndim != 2 or len(vectors) != count:
            texts = "1 text" if count == 1 else f"{count} texts"
            other = BadReply(f"{self._name}: the reply has {len(vectors)} vectors for {texts}.")
            return FailedAttempt(other, "split" if len(vectors) else "retry", doubtful=True, misplaced=True)
        faults = {at: f"{self._name}: {why}." for at, why in _faults(vectors).items()}
        if len(faults) == count:
            return FailedAttempt(BadReply(faults[0]), "split", doubtful=True)
        with self._lock:
            if self.dimensions is None:
                self.dimensions = vectors.shape[1]
        if vectors.shape[1] != self.dimensions:  # sound vectors of another model: fewer texts would not help
            other = BadReply(
                f"{self._name}: the vectors have {vectors.shape[1]} dimensions, expected {self.dimensions}.",
                remedy="The service runs another model, or ignores dimensions.",
            )
            return FailedAttempt(other, "stop", doubtful=count == 1)
        if faults:
            vectors = vectors.copy()
            vectors[list(faults)] = 0
        if self._normalised:
            vectors = unit_rows(vectors)
        return CheckedReply(vectors, reply.truncated, model, faults)


def _faults(vectors: Vectors) -> dict[int, str]:
    """Row to reason of all rows that can be no vector of a text."""
    import numpy as np

    if not vectors.shape[1]:
        return dict.fromkeys(range(len(vectors)), "the reply has nothing in place of a vector")
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(vectors, axis=1)
    sound = np.isfinite(lengths) & (lengths > 0)
    return {} if sound.all() else {int(at): _why(vectors[at]) for at in np.flatnonzero(~sound)}


def _why(row: Vectors) -> str:
    import numpy as np

    if np.isnan(row).all():
        return "the reply has null or NaN in place of a vector"
    if not np.isfinite(row).all():
        return "the reply holds NaN or infinity"
    with np.errstate(over="ignore"):
        length = np.linalg.norm(row)
    return "the reply holds a vector whose length is beyond float32" if length else "the reply holds a zero vector"
