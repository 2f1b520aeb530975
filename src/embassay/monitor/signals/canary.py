"""The model itself: texts that are known, asked in both roles past every cache, have to have the vectors they had.

Another model behind the same address, other weights, a forgotten prompt: each moves them. A change of numeric precision
does so by less than a hundredth of the cosine; it is recorded, and is no alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.canaries import CANARY_TEXTS, SAME_SPACE
from embassay.errors import SpaceMismatch
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.space import OLD_MODEL_OR_NEW_SET
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.canaries import Canaries
    from embassay.sets.canary_check import CanaryFound
    from embassay.types import Vectors

TITLE = "The model itself"
WHEN: When = "daily"


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """Where the canaries are now, for a set whose model is taken at its word, and the precision they are made at.

    Raises SetNotFound, SpaceMismatch, ModelError, ProviderError.
    """
    found = sample.set.ask_canaries()
    part: dict[str, Any] = {"precision": found["query"].precision, "model": found["query"].model}
    if any(one.cosine is None for one in found.values()):
        part["vectors"] = {role: _text(one.vectors) for role, one in found.items()}
    return part


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """One reading for each role: the least cosine of a canary to what it was."""
    try:
        found = watched.set.ask_canaries(_known(watched))
    except SpaceMismatch as error:
        return [SignalReading("alert", error.message, remedy=_step(watched), subject=role) for role in ROLES]
    return [_reading(watched, found[role]) for role in ROLES]


def _reading(watched: WatchedSet, found: CanaryFound) -> SignalReading:
    if found.cosine is None:
        said = f"Nobody has noted where {found.model} put the canary texts when the set was made."
        step = remedy.command("monitor baseline", set=watched.set.name, say="Note it with what is good now: {}")
        return SignalReading("unknown", said, remedy=step, subject=found.role)
    lost = 1.0 - found.cosine
    allowed = (1.0 - SAME_SPACE) * watched.tolerance
    state: State = "alert" if lost > allowed else "ok"
    before = str(watched.known.get("precision", ""))
    precision = f"{found.precision}, was {before}" if before and before != found.precision else found.precision
    said = (
        f"As {found.role}, the least cosine of {len(CANARY_TEXTS)} canary texts to what they were is "
        f"{found.cosine:.4f} (alert below {1.0 - allowed:g}; {found.model}, {precision})."
    )
    figures = {"lost": lost, "allowed": allowed}
    needed = lost / (1.0 - SAME_SPACE) if lost > 0 else None
    return SignalReading(state, said, found.cosine, _step(watched), found.role, figures, tolerated_at=needed)


def _step(watched: WatchedSet) -> remedy.Remedy:
    look = remedy.command("doctor", set=watched.set.name, say="See what is stored, and which model made it: {}.")
    return look + OLD_MODEL_OR_NEW_SET


def _known(watched: WatchedSet) -> Canaries | None:
    """Where the canaries were when the baseline was made, if that was written down."""
    kept = watched.known.get("vectors")
    if not isinstance(kept, Mapping):
        return None
    try:
        return {role: _vectors(kept[role], watched.space.dimensions) for role in ROLES}
    except (LookupError, ValueError, TypeError):  # of a row that somebody has changed by hand
        return None


def _text(vectors: Vectors) -> str:
    from base64 import b64encode

    return b64encode(vectors.astype("<f4").tobytes()).decode("ascii")


def _vectors(text: str, dimensions: int) -> Vectors:
    from base64 import b64decode

    import numpy as np

    return np.frombuffer(b64decode(text, validate=True), "<f4").reshape(len(CANARY_TEXTS), dimensions)
