"""Token vectors of a set: made for its chunks because somebody asked for them, and from then on kept in step.

Whoever writes rows only notes which chunks have to get some (`embassay.stores.tokens`); they are made here, behind the
run that wrote them, so that a run that is killed leaves a list of what is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import remedy
from embassay.events import Warned, WorkAdvanced, WorkStarted

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.stores.base import Store
    from embassay.stores.tokens.file import TokenFile

AT_ONCE = 64
"""Chunks whose tokens are written together: what is lost when a run is killed."""


def ask_for_tokens(sets: OpenSets, generation: Generation, embedder: Embedder, *, wanted: bool | None) -> None:
    """Have a generation keep token vectors from now on, or no more; None: as it did before.

    Nobody else may write it meanwhile. Raises ModelUnsupported where its model gives none, HomeNotWritable.
    """
    tokens = sets.folder.tokens(generation)
    if wanted:
        embedder.token_states([], "document")  # raises for a model that has none, before anything is made
        tokens.create()
        tokens.close()
    elif wanted is False:
        tokens.remove()


def tell_of_tokens(sets: OpenSets, was: Generation, now: Generation) -> None:
    """Say that the token vectors of a set stayed behind where it was switched to a generation that has none."""
    if sets.folder.tokens(was).exists and not sets.folder.tokens(now).exists:
        again = remedy.command("index", set=was.set_name, tokens=True, say="Make those of the new one").in_shell()
        sets.events.tell(Warned(f"The token vectors of set {was.set_name!r} stay with {was.space}. {again}"))


def make_tokens(sets: OpenSets, generation: Generation, store: Store, embedder: Embedder) -> int:
    """Make the tokens that are due, where a generation keeps some; for how many chunks. The caller may write it.

    Raises ModelError, StoreError, HomeNotWritable.
    """
    tokens = sets.folder.tokens(generation)
    if not tokens.exists:
        return 0
    try:
        _look_through(tokens, store)
        return _make(sets, tokens, embedder)
    finally:
        tokens.close()


def _look_through(tokens: TokenFile, store: Store) -> None:
    """Note every chunk where the file was made after the rows, or was left behind by whoever did not know of it."""
    kept, due, _ = tokens.counts()
    with store.snapshot() as version:
        if tokens.whole and kept <= version.count() <= kept + due:
            return
        keys: set[str] = set()
        for chunks, _ in version.scan(()):
            tokens.note(chunks)
            keys.update(chunk.key for chunk in chunks)
    tokens.keep_only(keys)
    tokens.note_whole()


def _make(sets: OpenSets, tokens: TokenFile, embedder: Embedder) -> int:
    from embassay.stores.tokens.codes import pack

    done, (_, due, _) = 0, tokens.counts()
    if due:
        sets.events.tell(WorkStarted(f"Reading the tokens of {due:,} chunks", due))
    while texts := tokens.due(AT_ONCE):
        states = embedder.token_states([*texts.values()], "document")
        tokens.put(texts, {key: pack(one.ids, one.vectors) for key, one in zip(texts, states, strict=True)})
        done += len(texts)
        sets.events.tell(WorkAdvanced(done, done))
    return done
