"""The rows of a sample held against what a model makes of their texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from embassay.canaries import SAME_SPACE
from embassay.columns.doctor.survey import SampledRow
from embassay.embedders.wrap.wrapper import uncached
from embassay.types import ROLES
from embassay.vectors import cosines, unit_rows

if TYPE_CHECKING:
    from embassay.columns.base import RowBlock
    from embassay.embedders.base import Embedder
    from embassay.types import Role, Vectors

Kind = Literal["document", "query", "negated", "shuffled", "other"]
NO_DIFFERENCE = 1e-3
"""Cosines that differ by less say nothing of the role that a vector was made in."""


@dataclass(slots=True)
class ComparedRow:
    """What became of one row of the sample."""

    row: SampledRow
    kind: Kind
    cosine: float
    """With what the model makes of its text: the one that decides."""
    found_at: int = -1
    """Where the vector of its text stands instead."""


class SampleComparison:
    """What the model makes of the texts of a sample, in each of its roles, cut to the dimensions that rows use."""

    def __init__(self, embedder: Embedder, sample: Sequence[SampledRow], used: int) -> None:
        """Raises ModelError, ProviderError."""
        space = embedder.space
        self.is_one_role = space.query_prompt == space.document_prompt and not embedder.remote
        self._roles: Sequence[Role] = ("document",) if self.is_one_role else ROLES
        self._embedder, self._used = uncached(embedder), used
        self._made = self._make([row.text for row in sample])
        stored = np.array([row.vector[:used] for row in sample], np.float32).reshape(-1, used)
        found = {role: cosines(made, stored) for role, made in self._made.items()}
        likelier = max(found, key=lambda role: float(np.median(found[role]))) if sample else "document"
        self.rows = [
            _compared(row, {role: float(cosine[at]) for role, cosine in found.items()}, likelier)
            for at, row in enumerate(sample)
        ]

    def _make(self, texts: Sequence[str]) -> dict[Role, Vectors]:
        if not texts:
            return {role: np.zeros((0, self._used), np.float32) for role in self._roles}
        return {role: unit_rows(self._embedder.embed(texts, role).vectors[:, : self._used]) for role in self._roles}

    def seek(self, blocks: Iterable[RowBlock], text: str) -> None:
        """Look in all rows for the vectors of the texts that did not agree. One that stands at a row whose own text it
        is not either is shuffled; where it is, the two texts are alike. Raises as embedding does."""
        strange = [(at, one) for at, one in enumerate(self.rows) if one.kind == "other"]
        if not strange:
            return
        wanted = np.concatenate([made[[at for at, _ in strange]] for made in self._made.values()])
        best = np.full(len(strange), SAME_SPACE, np.float32)
        places: dict[int, SampledRow] = {}
        for block in blocks:
            rows = unit_rows(np.nan_to_num(block.vectors[:, : self._used], posinf=0.0, neginf=0.0))
            likeness = (wanted @ rows.T).reshape(len(self._made), len(strange), -1).max(axis=0)
            for at in np.flatnonzero(likeness.max(axis=1) > best).tolist():
                place = int(likeness[at].argmax())
                best[at] = likeness[at, place]
                places[at] = SampledRow(block.first + place, str(block.fields[text][place]), rows[place])
        elsewhere = [row for row in places.values() if row.text.strip()]
        own = dict(zip((row.number for row in elsewhere), self._own_cosines(elsewhere), strict=True))
        for at, row in places.items():
            if own.get(row.number, 1.0) < SAME_SPACE:
                strange[at][1].found_at, strange[at][1].kind = row.number, "shuffled"

    def _own_cosines(self, rows: Sequence[SampledRow]) -> Sequence[float]:
        """Of each row, the cosine of its vector with what the model makes of its text, the greater of both roles."""
        made = self._make([row.text for row in rows])
        stored = np.array([row.vector for row in rows], np.float32).reshape(-1, self._used)
        return [float(one) for one in np.max([cosines(one, stored) for one in made.values()], axis=0)] if rows else []

    def of(self, *kinds: Kind) -> list[ComparedRow]:
        """The rows of these kinds."""
        return [one for one in self.rows if one.kind in kinds]


def _compared(row: SampledRow, found: dict[Role, float], likelier: Role) -> ComparedRow:
    """`likelier`: the role that most rows are in. Another one is told of a row only where it fits better by far."""
    best = max(found, key=lambda role: found[role])
    role = likelier if found[likelier] >= max(SAME_SPACE, found[best] - NO_DIFFERENCE) else best
    if found[role] >= SAME_SPACE:
        return ComparedRow(row, role, found[role])
    least = min(found.values())
    return ComparedRow(row, "negated", least) if least <= -SAME_SPACE else ComparedRow(row, "other", found[best])
