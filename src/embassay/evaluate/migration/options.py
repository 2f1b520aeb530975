"""What can be done about a better model, as systems that are compared: stay, cascade, or index anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from embassay.embedders.wrap.wrapper import uncached
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.migration.pool import PooledSnapshot
from embassay.events import SILENCE
from embassay.search.index import Searcher
from embassay.search.second import SecondSpace, TimedModel
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.evaluate.migration.pool import EmbeddedPool
    from embassay.search.answered import Calibration
    from embassay.search.trace import Trace
    from embassay.stores.base import Snapshot
    from embassay.types import Hit, Role, Vectors

STAY, CASCADE, REINDEX = "stay", "cascade", "re-index"


class Cascading(Searcher):
    """The live set, whose candidates are scored by the vectors of a pool that holds all of them."""

    def __init__(self, live: Searcher, embedded: EmbeddedPool, embedder: Embedder) -> None:
        super().__init__(live.sets, live.space, SILENCE, live.language)
        asked = embedder if embedder.remote else uncached(embedder)  # a hosted model is not paid for twice
        self._live, self._embedded, self._new = live, embedded, embedder
        self.others = live.others
        self._model = TimedModel(lambda: asked, embedder.space)

    def check_open(self) -> None:
        self._live.check_open()

    def snapshots(self, held: ExitStack) -> Mapping[str, Snapshot]:
        return self._live.snapshots(held)

    def embed(self, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:
        return self._live.embed(text, role, trace, cached=cached)

    def calibrations(self, parts: Mapping[str, Snapshot]) -> Mapping[str, Calibration]:
        return self._live.calibrations(parts)

    def second(self, held: ExitStack, trace: Trace) -> SecondSpace:  # noqa: ARG002
        (version,) = self._live.snapshots(held).values()
        return SecondSpace(self._new.space, PooledSnapshot(version, self._embedded), self._model)


class Reindexed(Searcher):
    """The set as it would be searched in the new space, as far as the pool shows it."""

    def __init__(self, live: Searcher, embedded: EmbeddedPool, embedder: Embedder) -> None:
        super().__init__(live.sets, embedder.space, SILENCE, live.language)
        self._live, self._embedded, self._new = live, embedded, embedder
        self.others = live.others

    def check_open(self) -> None:
        self._live.check_open()

    def snapshots(self, held: ExitStack) -> Mapping[str, Snapshot]:
        return {name: PooledSnapshot(one, self._embedded) for name, one in self._live.snapshots(held).items()}

    def embed(self, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:  # noqa: ARG002
        asked = self._new if cached else uncached(self._new)
        vector: Vectors = comparable(asked.embed([text], role).vectors, self._new.space)[0]
        return vector

    def calibrations(self, parts: Mapping[str, Snapshot]) -> Mapping[str, Calibration]:  # noqa: ARG002
        return {}


class ReindexSystem(SetSystem):
    """A set that is ranked by a pool: what was sampled counts for what was not."""

    def __init__(self, live: Searcher, embedded: EmbeddedPool, embedder: Embedder, live_system: SetSystem) -> None:
        searched = Reindexed(live, embedded, embedder)
        super().__init__(REINDEX, searched, embedder, live_system.pipeline, live_system.paths)
        self._embedded = embedded

    def ranking(self, ranked: Mapping[str, Hit]) -> list[str]:
        """The ids with strangers among them, as many as there would be of them in the whole set."""
        return self._embedded.expanded({name: hit.chunk.key for name, hit in ranked.items()})
