"""The evidence that checks judge by, gathered when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.errors import ModelError, ProviderError, SpaceMismatch
from embassay.sets.migration.evidence.allowance import Allowance
from embassay.sets.migration.evidence.nearest import Nearest, nearest
from embassay.sets.migration.evidence.pairing import Pairing
from embassay.sets.migration.evidence.questions import KnownItem, ask
from embassay.sets.migration.evidence.sample import Again, draw, remake

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.side import Side
    from embassay.types import Vectors

CANARIES = 8
"""Texts that both roles of a model are asked for."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one generation finds for the questions, by exact search."""

    vectors: Vectors
    """(questions, dimensions), made in the role of queries."""
    found: Sequence[Nearest]


class Evidence:
    """Both generations, and what was found out of them. Nothing of it changes once it was asked for."""

    def __init__(
        self,
        old: Side,
        new: Side,
        changing: Collection[str] = (),
        *,
        seed: int = 0,
        logged: Sequence[str] = (),
        judged: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`changing`: paths of origins that differ by right. `logged`: queries that people asked. `judged`: a judged
        set decides, so that the change of neighbours need not be measured. `tell` hears what is being done.
        """
        import numpy as np

        self.old, self.new, self.judged = old, new, judged
        self._changing, self._logged, self._tell = changing, logged, tell
        self._random = np.random.default_rng(seed)

    @cached_property
    def rows(self) -> Pairing:
        """The rows of both, side by side."""
        self._tell("verifying: comparing the rows of both generations")
        return Pairing(self.old, self.new, self._changing)

    @cached_property
    def allowance(self) -> Allowance:
        """How many texts may be embedded."""
        return Allowance(self.rows.new_rows)

    @cached_property
    def again(self) -> Again:
        """Rows whose vectors were made again. What is needed for the questions and canaries is left."""
        kept = CANARIES + 2 * self.allowance.questions
        most = min(self.allowance.left - kept, self.rows.new_rows)
        chosen, drawn = draw(self.rows, most, self._random)
        self._tell(f"verifying: embedding {len(chosen.chunks):,} texts again")
        self.allowance.take(len(chosen.chunks))
        return remake(chosen, drawn, self.new)

    @cached_property
    def questions(self) -> list[KnownItem]:
        """Queries with the document that each was taken from, out of the rows that were drawn by lot."""
        return ask(self.again.chunks[: self.again.drawn], self.allowance.questions - len(self.logged), self._random)

    @cached_property
    def logged(self) -> list[str]:
        """What people asked lately: at most half of the queries."""
        return [*dict.fromkeys(self._logged)][: self.allowance.questions // 2]

    @cached_property
    def answers(self) -> Answers:
        """What the new generation finds: for the questions, and behind them for what people asked."""
        return self._answers(self.new)

    @cached_property
    def old_answers(self) -> Answers | None:
        """What the live one finds; None where its model cannot be asked any more."""
        try:
            return self._answers(self.old)
        except (ModelError, ProviderError, SpaceMismatch):
            return None

    def _answers(self, side: Side) -> Answers:
        texts = [*(one.text for one in self.questions), *self.logged]
        self.allowance.take(len(texts))
        vectors, refused = side.vectors(texts, "query")
        vectors[[*refused]] = 0
        return Answers(vectors, nearest(side.snapshot, vectors))
