"""A set described: what it is made with, what it holds, and which part it plays in its home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embassay.sets.listed import ListedSet
from embassay.sets.opened import OpenSets
from embassay.sets.spec import SetSpec
from embassay.sets.state import Generation


@dataclass(frozen=True, slots=True)
class SetDescription:
    """What there is to know of one set without looking into its documents or its store."""

    set: str
    """Its name."""
    space: str
    space_digest: str
    documents: int
    chunks: int
    quarantined: int
    """Files that could not be read, in whole or in part."""
    bytes: int
    """On disk."""
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

    def to_dict(self) -> dict[str, object]:
        """The description as JSON has it."""
        counts = ("documents", "chunks", "quarantined", "bytes")
        of_spec = ("model", "precision", "chunk_tokens", "store", "rules")
        own = ("is_default", "chosen", "created", "written", "generations")
        return (
            {name: getattr(self, name) for name in ("set", "space", "space_digest")}
            | {"language": self.spec.language}
            | {name: getattr(self, name) for name in counts}
            | {name: getattr(self.spec, name) for name in of_spec}
            | {name: getattr(self, name) for name in own}
            | {"excluded": [*self.excluded], "paths": [*self.paths]}
        )


def describe_all(sets: OpenSets) -> list[SetDescription]:
    """Every set described, ordered by name. Raises HomeNotFound."""
    default, sizes = sets.default(), sets.folder.sizes()
    return [_described(listed, default, sizes) for listed in sets.state.listing.all()]


def describe(sets: OpenSets, name: str) -> SetDescription:
    """One set described. Raises HomeNotFound, SetNotFound."""
    listed = sets.state.listing.one(name)
    if listed is None:
        raise sets.state.roster.not_found(name)
    return _described(listed, sets.default(), sets.folder.sizes())


def _described(listed: ListedSet[Generation], default: str, sizes: Mapping[str, int]) -> SetDescription:
    """`sizes`: bytes of each collection."""
    generation, figures = listed.generation, listed.figures
    return SetDescription(
        set=generation.set_name,
        space=str(generation.space),
        space_digest=generation.space.digest,
        documents=figures.documents,
        chunks=figures.chunks,
        quarantined=figures.quarantined,
        bytes=sizes.get(generation.name, 0),
        spec=generation.spec,
        is_default=default == generation.set_name,
        chosen=listed.chosen,
        excluded=listed.excluded,
        paths=listed.paths,
        created=figures.created,
        written=figures.written,
        generations=figures.generations,
    )
