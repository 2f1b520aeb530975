"""A set described: what it is made with, what it holds, and which part it plays in its home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from embassay.sets.fusions import FittedFusion
from embassay.sets.listed import ListedSet
from embassay.sets.opened import OpenSets
from embassay.sets.spec import SetSpec
from embassay.sets.state import Generation
from embassay.sets.status import kind_of
from embassay.sets.views.table import View


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
    auto_embed: tuple[str, ...] | None
    """The rules by which it embeds on its own; None for one that was told none, and embeds at once."""
    paths: tuple[str, ...]
    """Files and folders that it was indexed from, by their names in the set."""
    created: str
    """Date and time, UTC."""
    written: float | None
    """Seconds since 1970: when a run that wrote it last was alive; None where none is remembered."""
    generations: int
    """How many it has: the live one, a previous one, and one that is being built."""

    title: str = ""
    """What people call it: its name, unless it has another one for them."""
    dimensions: int = 0
    """Of its vectors."""
    fusion: FittedFusion | None = None
    """How its hybrid searches join their arms, where that was fitted to it or to what it is a view of."""
    waiting: int = 0
    """Chunks that are found by words only until the set is indexed."""
    view: View | None = None
    """What it shows of another set; None for a set of its own."""

    @property
    def own(self) -> str:
        """The set that holds what it shows: the parent of a view."""
        return self.view.parent if self.view else self.set

    def to_dict(self) -> dict[str, object]:
        """The description as JSON has it."""
        counts = ("documents", "chunks", "waiting", "quarantined", "bytes")
        of_spec = ("model", "precision", "chunk_tokens", "store", "dtype", "rules")
        own = ("is_default", "chosen", "created", "written", "generations")
        return (
            {name: getattr(self, name) for name in ("set", "space", "space_digest")}
            | {"language": self.spec.language}
            | {name: getattr(self, name) for name in counts}
            | kind_of(self.view)
            | {name: getattr(self.spec, name) for name in of_spec}
            | {name: getattr(self, name) for name in own}
            | {"fusion": self.fusion.to_dict(self.space_digest) if self.fusion else None}
            | {"auto_embed": None if self.auto_embed is None else [*self.auto_embed]}
            | {"excluded": [*self.excluded], "paths": [*self.paths]}
        )


def describe_all(sets: OpenSets) -> list[SetDescription]:
    """Every set described, ordered by name; a view is counted by its store. Raises HomeNotFound, StoreError."""
    default, sizes = sets.default(), sets.folder.sizes()
    listed, titles = sets.state.listing.all(), sets.state.titles.all()
    found = {one.generation.set_name: _described(sets, one, default, sizes, titles) for one in listed}
    seen = [view for view in sets.state.views.all() if view.parent in found]
    views = [_shown(sets, view, found[view.parent], default, titles) for view in seen]
    return sorted([*found.values(), *views], key=lambda one: one.set)


def describe(sets: OpenSets, name: str) -> SetDescription:
    """One set described. Raises HomeNotFound, SetNotFound, and StoreError for a view, which is counted by its store."""
    content, default, titles = sets.content(name), sets.default(), sets.state.titles.all()
    listed = sets.state.listing.one(content.own)
    if listed is None:
        raise sets.state.roster.not_found(name)
    found = _described(sets, listed, default, sets.folder.sizes(), titles)
    return _shown(sets, content.view, found, default, titles) if content.view else found


def _described(
    sets: OpenSets, listed: ListedSet[Generation], default: str, sizes: Mapping[str, int], titles: Mapping[str, str]
) -> SetDescription:
    """`sizes`: bytes of each collection."""
    generation, figures = listed.generation, listed.figures
    return SetDescription(
        set=generation.set_name,
        title=titles.get(generation.set_name, generation.set_name),
        dimensions=generation.space.dimensions,
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
        auto_embed=listed.auto_embed,
        created=figures.created,
        written=figures.written,
        generations=figures.generations,
        waiting=figures.waiting,
        fusion=sets.state.fusions.of(generation.set_name),
    )


def _shown(
    sets: OpenSets, view: View, parent: SetDescription, default: str, titles: Mapping[str, str]
) -> SetDescription:
    """A view described: made with what its parent is, and counted by what it shows."""
    rows = sets.sources(view.name)
    return replace(
        parent,
        set=view.name,
        title=titles.get(view.name, view.name),
        view=view,
        documents=sum(row.documents for row in rows),
        chunks=sum(row.chunks for row in rows),
        waiting=sum(row.chunks for row in rows if row.waits),
        quarantined=sum(row.quarantined for row in rows),
        bytes=0,
        is_default=default == view.name,
        chosen=sets.state.roster.chosen() == view.name,
        created=view.created,
        fusion=sets.state.fusions.of(view.name) or parent.fusion,
    )
