"""A set described: what it is made with, what it holds, and which part it plays in its home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.sets.opened import OpenSets
from embassay.sets.spec import SetSpec
from embassay.sets.status import SetStatus, status_of

if TYPE_CHECKING:
    from embassay.sets.jobs import Job


@dataclass(frozen=True, slots=True)
class SetDescription:
    """What there is to know of one set without looking into its documents."""

    status: SetStatus
    spec: SetSpec
    is_default: bool
    """Whether it is meant where no set is named."""
    chosen: bool
    """Whether that was decided by somebody."""
    excluded: tuple[str, ...]
    """Patterns of files that it leaves out, besides those of the configuration."""
    paths: tuple[str, ...]
    """Files and folders that it was indexed from, by their names in the set."""
    created: str
    """Date and time, UTC."""
    written: float | None
    """Seconds since 1970: when a run that wrote it last was alive; None where none is remembered."""
    generations: int
    """How many it has: the live one, a previous one, and one that is being built."""

    @property
    def set(self) -> str:
        """Its name."""
        return self.status.set

    def to_dict(self) -> dict[str, object]:
        """The description as JSON has it."""
        names = ("set", "space", "space_digest", "language", "documents", "chunks", "quarantined", "bytes")
        of_spec = ("model", "precision", "chunk_tokens", "store", "rules")
        own = ("is_default", "chosen", "created", "written", "generations")
        return (
            {name: getattr(self.status, name) for name in names}
            | {name: getattr(self.spec, name) for name in of_spec}
            | {name: getattr(self, name) for name in own}
            | {"excluded": [*self.excluded], "paths": [*self.paths]}
        )


def describe_all(sets: OpenSets) -> list[SetDescription]:
    """Every set described by what the state says of it, ordered by name. Raises HomeNotFound."""
    state = sets.state
    default, chosen = sets.default(), state.roster.chosen()
    sizes = sets.folder.sizes()
    return [_described(sets, name, default, chosen, sizes) for name in state.sets()]


def describe(sets: OpenSets, name: str) -> SetDescription:
    """One set described. Raises HomeNotFound, SetNotFound, StoreError."""
    return _described(sets, name, sets.default(), sets.state.roster.chosen())


def _described(
    sets: OpenSets, name: str, default: str, chosen: str | None, sizes: Mapping[str, int] | None = None
) -> SetDescription:
    """`sizes`: bytes of each collection, where no store is to be opened."""
    state = sets.state
    generation, of_set, roster = sets.live(name), state.set(name), state.roster
    jobs: list[Job] = state.jobs.of(generation.id)
    return SetDescription(
        status=status_of(sets, name, sizes),
        spec=generation.spec,
        is_default=default == name,
        chosen=chosen == name,
        excluded=roster.excluded(name),
        paths=roster.paths(name),
        created=state.created(generation),
        written=jobs[0].heartbeat if jobs else None,
        generations=sum(one is not None for one in (of_set.live, of_set.previous, of_set.building)),
    )
