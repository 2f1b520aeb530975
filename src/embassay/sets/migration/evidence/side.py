"""One of the two generations that are held against each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.embedders.texts.blocks import join
from embassay.embedders.wrap.wrapper import uncached
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.canaries import Anchor
    from embassay.embedders.base import Embedder
    from embassay.sets.state import Generation, SourceRow
    from embassay.stores.base import Snapshot
    from embassay.types import Role, Vectors


@dataclass(frozen=True)
class Side:
    """A generation, one version of its rows, and what is written of its origins."""

    generation: Generation
    snapshot: Snapshot
    open_embedder: Callable[[], Embedder]
    anchor: Anchor | None
    sources: Mapping[str, SourceRow]
    """By path."""

    def vectors(self, texts: Sequence[str], role: Role) -> tuple[Vectors, Collection[int]]:
        """(vectors (texts, dimensions) that its model makes now, past every cache; positions that it refused).

        Raises ModelError, ProviderError, SpaceMismatch, SpendCapReached.
        """
        embedder = uncached(self.open_embedder())
        space = self.generation.space
        made = join(list(embedder.stream(texts, role)), space, role, embedder.precision)
        return comparable(made.vectors, space), set(made.refused)
