"""Documents that are found by words only, because nobody could or wanted to embed them yet, get their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.events import WorkStarted
from embassay.sets.build.following import Books, Following
from embassay.sets.build.run import write_changes
from embassay.sets.build.writer import Writer

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.stores.base import Store


def embed_waiting(sets: OpenSets, generation: Generation, store: Store, embedder: Embedder) -> int:
    """Embed what waits in a generation that the caller may write; how many chunks that were.

    Texts come from the store, so that files may be gone. Raises as `embassay.sets.build.run.write_changes` does.
    """
    state = sets.state
    names = [row.path for row in state.sources(generation) if row.waits]
    if not names:
        return 0
    books = Books(state, generation, store)
    source = Following(books, books, names)
    sets.events.tell(WorkStarted(f"Embedding {source.what}", source.total))
    embedded, _ = write_changes(source, Writer(state, generation, store), embedder, sets.events)
    return embedded
