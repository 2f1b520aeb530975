"""Sets as a whole: deleted, renamed, described.

A set goes in two steps. It leaves the list of sets first, in one transaction, so that from then on nobody finds it;
then its vectors, its rows and its locks are cleared away (`embassay.sets.gc`). Whatever a process that died left of the
second step is cleared by the next one that deletes a set or examines the home.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import HomeError, SetInUse
from embassay.sets.gc import sweep
from embassay.sets.generations import check_name
from embassay.sets.opened import OpenSets

if TYPE_CHECKING:
    from embassay.sets.state import Generation


@dataclass(frozen=True, slots=True)
class DeletedSet:
    """What went with a set."""

    set: str
    documents: int
    chunks: int

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {"set": self.set, "documents": self.documents, "chunks": self.chunks}


def contents_of(sets: OpenSets, name: str) -> DeletedSet:
    """What would go with a set. Raises HomeNotFound, SetNotFound."""
    rows = sets.sources(name)
    return DeletedSet(name, sum(row.documents for row in rows), sum(row.chunks for row in rows))


def delete_set(sets: OpenSets, name: str) -> DeletedSet:
    """Remove a set with all that belongs to it; the files that it was made of stay. Of a view only its name goes.

    A process that has the set open gets SetNotFound with its next call. Raises SetNotFound, UsageError where there are
    views of it, and SetInUse while another process writes the set; nothing is changed then.
    """
    gone = contents_of(sets, name)
    with _held(sets, name) as generations:
        sets.state.roster.remove(name)
        sets.forget(name, generations)
    sweep(sets)
    return gone


def rename_set(sets: OpenSets, name: str, new: str) -> None:
    """Give a set another name; what it was chosen for and what it leaves out stay with it.

    Raises SetNotFound, UsageError for a name that is taken or cannot be one, and SetInUse while another process writes
    the set; nothing is changed then.
    """
    check_name(new)
    with _held(sets, name):
        sets.state.roster.rename(name, new)
        sets.forget(name)


@contextmanager
def _held(sets: OpenSets, name: str) -> Iterator[Sequence[Generation]]:
    """The right to write every generation of a set; a view has none. Raises SetInUse where another process has one of
    them."""
    state = sets.state
    before = state.roster.builds(name)
    generations = [state.generation(identity) for identity in before]
    with ExitStack() as stack:
        for generation in generations:
            migration = state.migrations.building(generation.id)
            refuse = partial(_refuse, generation, migrates=migration is not None and migration.is_open)
            stack.enter_context(sets.folder.writing(generation, refuse))
        if state.roster.builds(name) != before:
            raise HomeError(f"set {name!r} was changed by another process meanwhile.", remedy="Look at it again.")
        yield generations


def _refuse(generation: Generation, *, migrates: bool) -> None:
    name = generation.set_name
    if migrates:
        raise SetInUse(
            f"another process is migrating set {name!r}.",
            remedy=remedy.command("migrate", name, pause=True, say="Halt it with {},")
            + remedy.command("migrate", name, abort=True, say="or give it up with"),
        )
    raise SetInUse(f"another process is writing set {name!r}.", remedy="Wait until it has ended, or stop it.")
