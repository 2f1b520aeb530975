"""Counts of a set, for people and programs that want to know what is in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from embassay.sets.coverage import NOTHING, Coverage, coverage, listed
from embassay.sets.opened import OpenSets
from embassay.sets.proofs import ProvenModel
from embassay.sets.trials.status import TrialStatus, open_trial
from embassay.sets.views.table import View


@dataclass(frozen=True, slots=True)
class SetStatus:
    """What one set holds."""

    set: str
    space: str
    documents: int
    chunks: int
    quarantined: int
    """Files that could not be read, in whole or in part."""
    bytes: int
    """On disk."""
    truncated_chunks: int
    """Chunks that are longer than the model's limit, so that it saw only their heads."""
    quarantine: tuple[tuple[str, str], ...]
    """(path, reason) of what could not be read."""
    space_digest: str = ""
    """Of the space: two that are printed alike may differ, their digests do not."""
    proven: tuple[ProvenModel, ...] = ()
    """Stand-ins that were proven to share its space, the latest first."""
    coverage: Coverage = NOTHING
    """What was read of its files, and which of them give less than they hold."""
    language: str = ""
    """Code of the language that its words are told apart by."""
    trial: TrialStatus | None = None
    """How its trial stands, while nobody has decided it."""
    waiting: int = 0
    """Chunks that are found by words only until the set is indexed."""
    view: View | None = None
    """What it shows of another set; None for a set of its own."""

    @property
    def own(self) -> str:
        """The set that holds what it shows: the parent of a view."""
        return self.view.parent if self.view else self.set

    def to_dict(self) -> dict[str, object]:
        """The status as JSON has it."""
        names = ("set", "space", "space_digest", "language", "documents", "chunks", "waiting", "quarantined", "bytes")
        plain = {name: getattr(self, name) for name in (*names, "truncated_chunks")} | kind_of(self.view)
        left = {"read_in_part": self.coverage.read_in_part, "skipped": self.coverage.skipped}
        files = {name: listed(pairs) for name, pairs in ({"quarantine": self.quarantine} | left).items()}
        values: dict[str, object] = {"proven": [one.to_dict() for one in self.proven]}
        values |= {"coverage": self.coverage.to_dict(), "trial": self.trial and self.trial.to_dict()}
        return plain | files | values


def kind_of(view: View | None) -> dict[str, object]:
    """Whether a set is its own, ``full``, or a view, ``filter``, as JSON has it: of which set, by which filter."""
    if view is None:
        return {"kind": "full", "of": None, "where": None}
    return {"kind": "filter", "of": view.parent, "where": view.filter}


def status_of(sets: OpenSets, name: str) -> SetStatus:
    """Counts of one set. Raises HomeNotFound, SetNotFound, StoreError."""
    content = sets.content(name)
    generation, rows = content.generation, content.sources(sets.state, sets.folder)
    covered = coverage(rows)
    with closing(content.store(sets.folder)) as store, store.snapshot() as snapshot:
        stats = snapshot.stats()
    return SetStatus(
        name,
        str(generation.space),
        covered.documents,
        stats.rows,
        len(covered.quarantined),
        stats.bytes,
        sum(row.truncated for row in rows),
        covered.quarantined,
        generation.space.digest,
        tuple(sets.state.proofs.of(generation.id)),
        covered,
        generation.spec.language,
        open_trial(sets, name),
        sum(row.chunks for row in rows if row.waits),
        content.view,
    )
