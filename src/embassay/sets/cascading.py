"""The second space of a search: the generation that a set is being moved to, opened beside the live one.

It is there as long as its migration is open and has not failed. Once the set was switched, or the migration given up,
a search is one of the live generation alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import StoreError

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.search.index import Index
    from embassay.search.second import SecondSpace
    from embassay.search.trace import Trace
    from embassay.sets.folder import HomeFolder
    from embassay.sets.state import Generation, State


@dataclass(slots=True)
class _Lease:
    generation: int
    index: Index
    users: int = 0
    retired: bool = False


class SecondIndexes:
    """Indexes of the generations that sets are being moved to, open between searches. Threads may share them."""

    def __init__(
        self, folder: HomeFolder, state: Callable[[], State], embedder: Callable[[Generation], Embedder]
    ) -> None:
        """`state` opens that of the home, and `embedder` the model of a generation, when they are first needed."""
        self._folder, self._state, self._embedder = folder, state, embedder
        self._lock = threading.Lock()
        self._leases: dict[str, _Lease] = {}

    def open(self, name: str, held: ExitStack, trace: Trace) -> SecondSpace | None:
        """What one search reads of the generation that set `name` is being moved to; `held` gives it back.

        None where there is none that may be relied on; `trace` has a notice of why then. Raises SetNotFound, HomeError.
        """
        generation = self._building(name, trace)
        if generation is None:
            self.forget(name)
            return None
        lease = self._lease(generation)
        held.callback(self._give_back, lease)
        try:
            return lease.index.as_second(held)
        except StoreError as error:  # given up and removed by another process a moment ago
            trace.notices.append(f"No cascade: {error}")
            return None

    def forget(self, name: str) -> None:
        """Close the index of a set that is not being moved any more, as soon as nobody uses it."""
        with self._lock:
            lease = self._leases.pop(name, None)
            unused = lease is not None and self._retire(lease)
        if lease is not None and unused:
            lease.index.close()

    def close(self) -> None:
        """Close all of them; one that is in use is closed by its last user."""
        for name in [*self._leases]:
            self.forget(name)

    def _building(self, name: str, trace: Trace) -> Generation | None:
        state = self._state()
        building = state.set(name).building
        migration = None if building is None else state.migrations.building(building)
        if building is None or migration is None:
            trace.notices.append(f"No cascade: set {name!r} is not being migrated.")
            return None
        if migration.state == "failed":
            trace.notices.append(f"No cascade: the migration of set {name!r} has failed ({migration.reason}).")
            return None
        return state.generation(building)

    def _lease(self, generation: Generation) -> _Lease:
        from embassay.search.index import Index

        name = generation.set_name
        unused = None
        with self._lock:
            lease = self._leases.get(name)
            if lease is None or lease.generation != generation.id:
                if lease is not None and self._retire(lease):
                    unused = lease
                index = Index(
                    name,
                    generation.space,
                    lambda: self._folder.store(generation),
                    lambda: self._embedder(generation),
                    language=generation.spec.language,
                )
                lease = self._leases[name] = _Lease(generation.id, index)
            lease.users += 1
        if unused:
            unused.index.close()
        return lease

    def _give_back(self, lease: _Lease) -> None:
        with self._lock:
            lease.users -= 1
            close = lease.retired and not lease.users
        if close:
            lease.index.close()

    @staticmethod
    def _retire(lease: _Lease) -> bool:
        """Whether nobody uses it, so that it is to be closed now."""
        lease.retired = True
        return not lease.users
