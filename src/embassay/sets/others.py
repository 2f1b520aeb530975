"""Another set of the home, opened for an arm of a search: see `embassay.search.other`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from embassay.stores.narrowed import NarrowedSnapshot

if TYPE_CHECKING:
    from embassay.search.index import Index
    from embassay.sets.views.table import View
    from embassay.stores.base import Snapshot


class OtherSets:
    """The sets that a search of one set may look in besides."""

    def __init__(self, index: Callable[[str], AbstractContextManager[Index]], view: View | None) -> None:
        """`index` opens a set by its name; `view`: what is shown of the set that is searched; None: all of it."""
        self._index, self._view = index, view

    def index(self, name: str, held: ExitStack) -> Index:
        """Its live generation for the time of one search; `held` gives it back. Raises SetNotFound, SetMoved."""
        return held.enter_context(self._index(name))

    def snapshot(self, index: Index, held: ExitStack) -> Snapshot:
        """The version of it that the search reads, narrowed to what is shown of the searched set."""
        (whole,) = index.snapshots(held).values()
        return NarrowedSnapshot(whole, self._view.where) if self._view else whole
