"""What is read under the name of a set: its live generation, or what of its parent's a view shows.

This is the only place where a view is told from a set that has generations of its own. Whoever reads asks for a
content; whoever writes asks for the live generation, which a view does not have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay.stores.filters.values import In
from embassay.stores.narrowed import NarrowedStore

if TYPE_CHECKING:
    from embassay.sets.folder import HomeFolder
    from embassay.sets.state import Generation, SourceRow, State
    from embassay.sets.views.table import View
    from embassay.stores.base import Readable


@dataclass(frozen=True, slots=True)
class SetContent:
    """What a set shows, as it was looked up at one moment."""

    name: str
    generation: Generation
    view: View | None = None
    """None for a set of its own, of which all is shown."""

    @property
    def own(self) -> str:
        """The set that the generation is of: the parent of a view."""
        return self.generation.set_name

    def store(self, folder: HomeFolder) -> Readable:
        """Where its rows are, opened to be read. Raises StoreError."""
        whole = folder.store(self.generation)
        return NarrowedStore(whole, self.view.where) if self.view else whole

    def sources(self, state: State, folder: HomeFolder) -> list[SourceRow]:
        """What it was made of; of a view the sources of which a chunk passes, with the counts of those that do.

        Of a view all its chunks are read for that. Raises StoreError.
        """
        rows = state.sources(self.generation)
        if self.view is None:
            return rows
        counts: Counter[str] = Counter()
        documents: dict[str, set[str]] = defaultdict(set)
        truncated: Counter[str] = Counter()
        with closing(self.store(folder)) as store, store.snapshot() as version:
            for chunks, _ in version.scan(()):
                for chunk in chunks:
                    counts[chunk.path] += 1
                    documents[chunk.path].add(chunk.document)
                    truncated[chunk.path] += chunk.truncated
        return [
            replace(row, chunks=counts[row.path], documents=len(documents[row.path]), truncated=truncated[row.path])
            for row in rows
            if counts[row.path]
        ]

    def among(self, ids: Sequence[str], folder: HomeFolder) -> Sequence[str]:
        """Those of these documents that it may show. Raises StoreError."""
        if self.view is None or not ids:
            return ids
        with closing(self.store(folder)) as store, store.snapshot() as version:
            shown = {chunk.document for chunks, _ in version.scan((), In("document", tuple(ids))) for chunk in chunks}
        return [one for one in ids if one in shown]

    def differs_from(self, now: SetContent) -> bool:
        """Whether `now`, looked up under the same name, shows something else."""
        return self.view != now.view or is_another(self.generation, now.generation)


def is_another(opened: Generation, now: Generation) -> bool:
    """Whether what was opened is not what is there now: another generation, or one whose model is another one.

    An identity that was renewed for this process alone, on a disk that cannot be written, is not gone back to.
    """
    if opened.id != now.id:
        return True
    return now.identity >= opened.identity and (opened.space, opened.spec) != (now.space, now.spec)
