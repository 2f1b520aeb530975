"""Brings a set up to date with files and folders: the one way in which an index run begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.ingest.chunk import Chunker
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.ingest.limits import DEFAULT_LIMITS, ReadLimits
from embassay.ingest.sample import sample_texts
from embassay.ingest.scope import Scope
from embassay.models.reference import with_precision
from embassay.sets.beginning import begun
from embassay.sets.build.deferring import deferred_by
from embassay.sets.build.files import Files
from embassay.sets.build.plan import make_plan
from embassay.sets.build.report import IndexReport
from embassay.sets.build.run import build
from embassay.sets.build.writer import Writer
from embassay.sets.followers import bring_along
from embassay.sets.leaving import leaving
from embassay.sets.moves import on_live
from embassay.sets.noting import note_run, noted_if_cut_short
from embassay.sets.opened import OpenSets
from embassay.sets.paths import SetPaths, remember, remembered, tell_of_lost
from embassay.sets.spec import Wishes
from embassay.sets.state import Generation
from embassay.sets.tokens import ask_for_tokens, make_tokens
from embassay.sets.waiting import embed_waiting

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder


@dataclass(frozen=True, slots=True)
class Reading:
    """How an index run reads files."""

    retry_failed: bool = False
    """Try files again that could not be read before."""
    checksum: bool = False
    """Read every file instead of trusting its size and time."""
    max_file_mb: float = MAX_FILE_MB
    """Larger files are skipped, but for those whose readers do not hold them in memory."""
    limits: ReadLimits = DEFAULT_LIMITS
    """What reading one file may take."""
    exclude: Sequence[str] = ()
    """Patterns of files that the set leaves out from now on, see `embassay.ingest.exclude`."""
    include: Sequence[str] = ()
    """Patterns that it leaves out no more."""
    by_rules: bool = False
    """Embed what the rules of the set ask for, and not everything that has no vector yet, see
    `embassay.sets.build.deferring`."""
    tokens: bool | None = None
    """Keep the vectors of tokens as well from now on, or no more; None: as before."""
    only: Scope | None = None
    """Look at nothing else of the paths: the rest is known to be as it was."""

    def __post_init__(self) -> None:
        """Raises UsageError for a size that no file can have."""
        if not 0 < self.max_file_mb < 1e6:
            raise UsageError(f"max_file_mb is {self.max_file_mb}; it must be between 0 and 1,000,000.")


def index_files(
    sets: OpenSets, name: str, files: Sequence[Path] | None, wishes: Wishes, reading: Reading
) -> IndexReport:
    """Make set `name` hold what `files` say now; None for all that it was indexed from. One process writes a set at a
    time, others wait.

    Raises UsageError, SpaceMismatch, ModelError, HomeError, StoreError; whatever was stored before an error stays.
    """
    if files is not None:
        paths = SetPaths(tuple(files))
        return on_live(lambda: _index_files(sets, name, paths, wishes, reading, named=True))
    paths = SetPaths(()) if _only_waits(sets, name) else remembered(sets, name)
    tell_of_lost(sets, paths)
    return update_files(sets, name, paths, wishes, reading)


def _only_waits(sets: OpenSets, name: str) -> bool:
    """Whether a set remembers no files, as one of records alone, and has chunks to embed all the same."""
    return not sets.state.roster.paths(name) and sets.state.totals(sets.live(name)).waiting > 0


def update_files(sets: OpenSets, name: str, paths: SetPaths, wishes: Wishes, reading: Reading) -> IndexReport:
    """The same with paths that the set remembers: nobody names them, so that what was deleted from it stays out."""
    return on_live(lambda: _index_files(sets, name, paths, wishes, reading, named=False))


def _index_files(
    sets: OpenSets, name: str, paths: SetPaths, wishes: Wishes, reading: Reading, *, named: bool
) -> IndexReport:
    left_out = leaving(sets, name, reading.exclude, reading.include)
    if not (sets.exists and name in sets.state.sets()):
        check_there(paths.found)
    sample = lambda: sample_texts(paths.found, left_out.foreseen())  # noqa: E731
    with (
        begun(sets, name, wishes, sample) as (generation, embedder),
        sets.writing(generation) as state,
        _with_tokens(sets, generation, embedder, reading),
        closing(sets.folder.store(generation, create=True)) as store,
        state.jobs.run("index", generation.id),
    ):
        exclude = left_out.remembered()
        totals = state.totals(generation)
        with store.snapshot() as snapshot:
            lost = not totals.pending and snapshot.count() != totals.chunks
        plan = make_plan(
            sets.folder,
            paths.found,
            {row.path: row for row in state.sources(generation)},
            max_file_mb=reading.max_file_mb,
            exclude=exclude,
            retry_failed=reading.retry_failed,
            checksum=reading.checksum or lost,
            only=None if lost else reading.only,
            named=named,
        )
        if named:
            remember(sets, generation.set_name, paths.found)
        source = Files(plan, store, lambda: chunker_of(sets, generation, embedder), reading.limits)
        writer = Writer(state, generation, store)
        with noted_if_cut_short(state, generation, "indexed", writer):
            defer = deferred_by(sets, generation) if reading.by_rules else None
            report = build(source, writer, embedder, sets.events, defer)
        waited = 0 if defer else embed_waiting(sets, generation, store, embedder)
        if not state.totals(generation).waiting:  # else they wait together with the vectors
            make_tokens(sets, generation, store, embedder)
        bring_along(sets, state, generation, writer.touched)
        waiting = state.totals(generation).waiting
        report = replace(report, embedded=report.embedded + waited, waiting=waiting)
        note_run(state, generation, writer, report)
    return report


@contextmanager
def _with_tokens(sets: OpenSets, generation: Generation, embedder: Embedder, reading: Reading) -> Iterator[None]:
    """Said before the store is opened, which is told of it then."""
    ask_for_tokens(sets, generation, embedder, wanted=reading.tokens)
    yield


def check_there(files: Sequence[Path]) -> None:
    """Raises UsageError for a path that does not exist: nothing can have been indexed of it before."""
    for file in files:
        if not file.exists():
            raise UsageError(f"{file}: no such file or folder.")


def chunker_of(sets: OpenSets, generation: Generation, embedder: Embedder) -> Chunker:
    """What cuts documents for a generation, with the cuts that are remembered beside its vectors."""
    spec, space = generation.spec, embedder.space
    cuts = sets.models.cuts(with_precision(spec.model, spec.precision))
    return Chunker(embedder.tokens, spec.chunk_tokens, space.document_prompt, cuts)
