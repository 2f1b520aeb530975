"""Vectors that records bring along: taken only where the model of the set, asked about some of them, agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.errors import SpaceMismatch, UsageError
from embassay.ingest.spans import under
from embassay.space import check_space
from embassay.text import composed
from embassay.vectors import comparable, likeness

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.space import Space
    from embassay.types import Record, Vectors

FIRST_SAMPLE = 8
"""Records of the first group whose vectors are made again."""
LATER_SAMPLE = 2
"""Records of each group behind it."""
SAME_VECTOR = 0.99
"""The least cosine of a vector that was handed over with what the model makes of its text. Precisions of one model
differ by less than that from one another."""


class Voucher:
    """Makes sure of the vectors of the records of one call, group after group."""

    def __init__(self, set_name: str, embedder: Embedder, space: Space | None = None) -> None:
        """`space`: the one that the caller says the vectors are of."""
        self._set, self._embedder, self._space = set_name, embedder, space
        self._own: bool | None = None
        self._sampled = False
        self.compared = 0
        """Vectors that were made again."""
        self.least: float | None = None
        """The least cosine of one of them with that which was handed over."""

    def __call__(self, group: Sequence[Record]) -> Sequence[Record]:
        """The records, their vectors scaled as those of the set are; records without vectors as they are.

        Raises UsageError where only some have one, or where one has other dimensions, and SpaceMismatch where one is
        not what the model makes of its text.
        """
        if self._own is None:
            self._own = bool(group) and group[0].vector is not None
        for record in group:
            if (record.vector is not None) != self._own:
                has = "a vector" if record.vector is not None else "no vector"
                raise UsageError(
                    f"record {record.id!r} has {has}, unlike those before it.",
                    remedy="Hand over vectors with all records of a call, or with none.",
                )
        return self._scaled(group) if self._own else group

    def _scaled(self, group: Sequence[Record]) -> Sequence[Record]:
        import numpy as np

        embedder = self._embedder
        space = embedder.space
        if self._space is not None:
            check_space(self._space, space, self._set)
        rows = [np.asarray(record.vector, np.float32) for record in group]
        for record, row in zip(group, rows, strict=True):
            if len(row) != space.dimensions:
                raise UsageError(
                    f"record {record.id!r}: its vector has {len(row):,} dimensions; those of {space} have "
                    f"{space.dimensions:,}."
                )
        unit = replace(space, normalised=False)  # whatever made them may not have scaled them
        vectors = comparable(np.stack(rows), unit)
        self._compare(group, vectors, embedder, space)
        return [replace(record, vector=vector) for record, vector in zip(group, vectors, strict=True)]

    def _compare(self, group: Sequence[Record], vectors: Vectors, embedder: Embedder, space: Space) -> None:
        """Have the model make some of them again. A text below its title is compared with and without it."""
        import numpy as np

        most = LATER_SAMPLE if self._sampled else FIRST_SAMPLE
        self._sampled = True
        written = [at for at, record in enumerate(group) if record.text.strip()]
        if not written:
            return
        places = sorted({written[int(at)] for at in np.linspace(0, len(written) - 1, most)})
        texts = [composed(group[at].text).strip() for at in places]
        titled = [under(composed(group[at].title), text) for at, text in zip(places, texts, strict=True)]
        made = comparable(embedder.embed([*texts, *titled], "document").vectors, space)
        alone, below = (
            likeness(part, vectors[places], space.similarity) for part in (made[: len(texts)], made[len(texts) :])
        )
        best = np.maximum(alone, below)
        worst = int(best.argmin())
        self.compared += len(best)
        self.least = min(float(best[worst]), 1.0 if self.least is None else self.least)
        if best[worst] < SAME_VECTOR:
            whose = f"of {self._space}" if self._space else "of another space"
            raise SpaceMismatch(
                f"the vectors that were handed over are {whose}, not of {space}, in which set {self._set!r} is: that "
                f"of record {group[places[worst]].id!r} has the cosine {best[worst]:.2f} to what the model makes of "
                f"its text as a document.",
                remedy="Hand over what this model makes of the texts as documents, or leave the vectors to it.",
            )
