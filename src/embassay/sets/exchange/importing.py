"""A new set out of vectors that are there already: taken where the set's model, asked about some of them, agrees."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.columns.opening import ColumnNames, open_table
from embassay.errors import ReadError, SpaceMismatch, UsageError
from embassay.events import WorkStarted
from embassay.sets.beginning import begun
from embassay.sets.build.run import write_changes
from embassay.sets.build.writer import Writer
from embassay.sets.exchange.foreign import ForeignRows
from embassay.sets.exchange.manifest import Manifest, read_manifest
from embassay.sets.exchange.own import ExportedChunks
from embassay.sets.exchange.report import ImportedSet
from embassay.sets.followers import bring_along
from embassay.sets.manage import delete_set
from embassay.sets.records.own_vectors import Voucher
from embassay.space import NO_TRANSFORM
from embassay.types import Record
from embassay.vectors import storable_rows

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import Wishes
    from embassay.sets.state import Generation
    from embassay.types import Chunk, Vectors

SAMPLED = 32
"""Texts by which the language of a new set is told."""


def import_set(sets: OpenSets, name: str, place: Path, wishes: Wishes, names: ColumnNames) -> ImportedSet:
    """Make set `name` out of what lies at `place`; see `Home.import_set`."""
    started = time.monotonic()
    manifest = read_manifest(place) if place.is_dir() else None
    with open_table(place, manifest.format if manifest else None):
        pass  # what cannot be read is told before anything is made
    is_new = not (sets.exists and name in sets.state.sets())
    try:
        with (
            begun(sets, name, _resolved(wishes, manifest), lambda: _texts(place, names)) as (generation, embedder),
            sets.writing(generation) as state,
            state.jobs.run("import", generation.id),
        ):
            store, voucher = sets.store(generation), Voucher(name, embedder)
            source = _source(place, manifest, names, embedder, voucher)
            source.begin(state, generation, store)
            sets.events.tell(WorkStarted(f"Importing {source.what}", source.total))
            writer = Writer(state, generation, store)
            write_changes(source, writer, embedder, sets.events)
            if writer.unfolded:
                writer.fold()
            bring_along(sets, state, generation, writer.touched)
            report = _report(sets, generation, source, voucher, time.monotonic() - started)
            if report.written:
                state.history.note(name, "imported", generation.id, {"chunks": report.written, "from": str(place)})
            return report
    except (SpaceMismatch, ReadError, UsageError):
        if is_new and sets.exists and name in sets.state.sets():  # what was refused is in no set
            delete_set(sets, name)
        raise


def _resolved(wishes: Wishes, manifest: Manifest | None) -> Wishes:
    """What was not asked for is as it was in the set that was exported."""
    if manifest is None:
        return wishes
    spec = manifest.spec
    return replace(
        wishes,
        model=wishes.model or spec.model,
        precision=wishes.precision if wishes.model else wishes.precision or spec.precision,
        chunk_tokens=wishes.chunk_tokens or spec.chunk_tokens,
        language=wishes.language or spec.language,
    )


def _texts(place: Path, names: ColumnNames) -> Iterator[str]:
    """Some of the texts of a table."""
    with open_table(place) as table:
        text = names.text_in(table)
        for block in table.blocks([text], names.vector_in(table)):
            yield from [str(one) for one in block.fields[text] if one][:SAMPLED]
            return


def _source(
    place: Path, manifest: Manifest | None, names: ColumnNames, embedder: Embedder, voucher: Voucher
) -> ExportedChunks | ForeignRows:
    if manifest is None:
        return ForeignRows(place, names, embedder, voucher)
    similarity, dimensions = embedder.space.similarity, embedder.space.dimensions
    if manifest.space.dimensions != dimensions:
        raise SpaceMismatch(
            f"{place} holds vectors of {manifest.space}, which have {manifest.space.dimensions:,} dimensions; those of "
            f"{embedder.space} have {dimensions:,}.",
            remedy=_mend(manifest),
        )

    def vouch(chunks: Sequence[Chunk], vectors: Vectors) -> Vectors:
        """Vectors that can be stored as they are stay as they are, to the last bit."""
        rows = zip(chunks, vectors, strict=True)
        given = [Record(chunk.key, chunk.indexed, vector=vector) for chunk, vector in rows]
        if not storable_rows(vectors, similarity).all():
            raise ReadError(f"{place} is damaged: it holds vectors that no set can hold")
        voucher(given)
        return vectors

    return ExportedChunks(place, manifest, vouch)


def _report(
    sets: OpenSets, generation: Generation, source: ExportedChunks | ForeignRows, voucher: Voucher, seconds: float
) -> ImportedSet:
    totals, space = sets.state.totals(generation), generation.space
    reasons = source.reasons if isinstance(source, ForeignRows) else []
    return ImportedSet(
        set=generation.set_name,
        space=str(space),
        space_digest=space.digest,
        documents=totals.documents,
        chunks=totals.chunks,
        written=source.written,
        least_cosine=None if voucher.least is None else round(voucher.least, 6),
        compared=voucher.compared,
        left_out=source.left_out if isinstance(source, ForeignRows) else 0,
        reasons=tuple(reasons),
        seconds=seconds,
    )


def _mend(manifest: Manifest) -> str:
    """What helps where vectors are not as long as those of the model."""
    if manifest.space.transform == NO_TRANSFORM:
        return "Name the model that made them."
    return (
        "They were reduced by a PCA that was fitted to their set, which an export does not hold. Import an export of "
        "the set before that, or its texts, and reduce it again with `migrate`."
    )
