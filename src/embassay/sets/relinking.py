"""The same space on another provider, or under another name: nothing is embedded anew once both are proven equal.

The set's own canaries are embedded by the other model in both roles, and so are some of its stored texts, among them
the longest, which a smaller token limit would cut. Only where every vector is the one that the set has is the other
model written down.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import CANARY_TEXTS, SAME_SPACE, Anchor, least_likeness
from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import MigrationState, SpaceMismatch, UsageError
from embassay.models.reference import asked_precision
from embassay.sets.door import anchor_of
from embassay.sets.generations import remembered
from embassay.sets.moves import RELINKED, on_live
from embassay.stores.values import VECTOR
from embassay.types import ROLES
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.embedders.wrap.projected import Projection
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.types import Vectors

SPREAD, LONGEST = 28, 4
"""Stored texts that are embedded again: so many from all over the set, and so many of the longest."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """A set that has another model now, with what proved the two equal."""

    set: str
    was: str
    now: str
    """The models, as they are written."""
    space: str
    least: Mapping[str, float]
    """The least cosine to what the set has: of the canaries as ``query`` and as ``document``, and of stored ``texts``
    where there are any."""
    texts: int
    """How many stored texts were embedded again."""
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "set": self.set,
            "from": self.was,
            "to": self.now,
            "space": self.space,
            "least_cosine": {name: round(cosine, 6) for name, cosine in self.least.items()},
            "texts": self.texts,
            "seconds": round(self.seconds, 3),
        }


def relink(sets: OpenSets, name: str, to: str, precision: str | None = None) -> Relinked:
    """Have `to` make the vectors of set `name` from now on, which keeps those that it has.

    Raises SpaceMismatch, with the least cosine, where it does not make the same ones; UsageError where it takes fewer
    tokens than the set's chunks have, or is its model already; MigrationState while the set is being migrated;
    SetNotFound, ModelError, ProviderError.
    """
    model, asked = asked_precision(to, precision)
    return on_live(lambda: _relink(sets, name, remembered(model), asked or "auto"))


def relink_back(sets: OpenSets, name: str) -> Relinked:
    """Take the last relinking of a set back: its former model is proven in the same way.

    Raises UsageError where it never was relinked, and as `relink` does.
    """
    sets.live(name)
    for one in sets.state.history.of(name):
        if one.what == RELINKED:
            return relink(sets, name, str(one.detail["from"]), str(one.detail["from_precision"]))
    raise UsageError(
        f"set {name!r} was never relinked.", remedy=remedy.command("relink", name, to="MODEL", say="Do that")
    )


def _relink(sets: OpenSets, name: str, model: str, precision: str) -> Relinked:
    started = time.monotonic()
    live = sets.live(name)
    with sets.writing(live) as state:
        if (under_way := state.migrations.open(name)) is not None:
            raise MigrationState(
                f"set {name!r} is being migrated: its migration is {under_way.state}.",
                remedy=remedy.command("migrate", name, status=True, say="Look at it"),
            )
        projection = state.projections.of(live.id)
        inner = sets.model(model, precision)
        embedder = _wrapped(inner, projection)
        spec = replace(live.spec, model=model, precision=precision)
        if (embedder.space, spec) == (live.space, live.spec):
            raise UsageError(f"set {name!r} has the model {model} already.")
        known = state.proofs.anchor(live.id)
        texts, rows = _sample(sets, live)
        least = _proven(embedder, live, known or anchor_of(sets.embedder(live)), texts, rows)
        state.moves.relink(
            name,
            live.id,
            (live.space, live.spec),
            (embedder.space, spec),
            anchor=known if known and _is_of(known, embedder) else _own_anchor(embedder),
            projection=projection and replace(projection, normalised=inner.space.normalised),
            detail={
                "from": live.spec.model,
                "from_precision": live.spec.precision,
                "to": model,
                "least_cosine": min(least.values()),
            },
        )
    sets.forget(name)
    return Relinked(name, live.spec.model, model, str(embedder.space), least, len(texts), time.monotonic() - started)


def _wrapped(embedder: Embedder, projection: Projection | None) -> Embedder:
    from embassay.embedders.wrap.projected import Projected

    return embedder if projection is None else Projected(embedder, projection)


def _own_anchor(embedder: Embedder) -> Anchor | None:
    return None if embedder.is_trusted else anchor_of(embedder)


def _is_of(anchor: Anchor, embedder: Embedder) -> bool:
    """Whether the canaries can be compared with those of a model: one may be asked for fewer dimensions."""
    return all(anchor.own[role].shape == embedder.canaries(role).shape for role in ROLES)


def _proven(
    embedder: Embedder, live: Generation, anchor: Anchor, texts: list[str], rows: Vectors
) -> Mapping[str, float]:
    """The least cosines, all of them high enough. Raises SpaceMismatch, UsageError."""
    for what in ("dimensions", "similarity"):
        has, makes = getattr(live.space, what), getattr(embedder.space, what)
        if has != makes:
            raise SpaceMismatch(f"the {what} of set {live.set_name!r} is {has}, that of {embedder.name} {makes}.")
    if embedder.tokens.safe_tokens < live.spec.chunk_tokens:
        raise UsageError(
            f"{embedder.name} takes {embedder.tokens.safe_tokens:,} tokens; chunks of set {live.set_name!r} have up to "
            f"{live.spec.chunk_tokens:,}."
        )
    fresh, how = uncached(embedder), live.space.similarity
    found: dict[str, float] = {
        role: least_likeness(fresh.embed(CANARY_TEXTS, role).vectors, anchor.made[role], how) for role in ROLES
    }
    if texts and min(found.values()) >= SAME_SPACE:
        again = comparable(fresh.embed(texts, "document").vectors, embedder.space)
        found["texts"] = least_likeness(again, rows, how)
    worst = min(found, key=found.__getitem__)
    if found[worst] < SAME_SPACE:
        what = "a stored text has" if worst == "texts" else f"as {worst}, a text that is known has"
        raise SpaceMismatch(
            f"{embedder.name} makes other vectors than those of set {live.set_name!r}: {what} the cosine "
            f"{found[worst]:.2f} to what it was.",
            remedy=remedy.command("migrate", live.set_name, to=embedder.name, say="Have the texts embedded anew"),
        )
    return found


def _sample(sets: OpenSets, live: Generation) -> tuple[list[str], Vectors]:
    """Some of the stored texts, and their vectors: float32 (texts, dimensions). Those without one are left out."""
    import numpy as np

    with closing(sets.folder.store(live)) as store, store.snapshot() as version:
        step, at = max(1, version.count() // SPREAD), 0
        spread: dict[str, tuple[str, Vectors]] = {}
        longest: list[tuple[int, str, str, Vectors]] = []
        for chunks, by_label in version.scan():
            for chunk, row in zip(chunks, by_label[VECTOR], strict=True):
                at += 1
                if not row.any():
                    continue
                if at % step == 0 and len(spread) < SPREAD:
                    spread[chunk.key] = chunk.indexed, row
                heapq.heappush(longest, (chunk.tokens, chunk.key, chunk.indexed, row))
                if len(longest) > LONGEST:
                    heapq.heappop(longest)
    taken = spread | {key: (text, row) for _, key, text, row in longest}
    return [text for text, _ in taken.values()], np.array([row for _, row in taken.values()], np.float32)
