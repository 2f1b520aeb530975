"""A set into a folder: every chunk with its vector, and the documents that they come from."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import jsontext, remedy
from embassay.columns.opening import create_table, formats_written
from embassay.columns.writing import translated
from embassay.errors import HomeNotWritable, StoreError, UsageError
from embassay.events import Noted, WorkAdvanced, WorkStarted
from embassay.sets.exchange.folder import written_whole
from embassay.sets.exchange.manifest import DOCUMENTS, FILE, Manifest, RowDigest
from embassay.sets.exchange.rows import COLUMNS, columns_of, line_of
from embassay.stores.values import VECTOR
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.sets.content import SetContent
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation, SourceRow
    from embassay.stores.base import Snapshot

GROUP = 512
"""Sources whose records are held in memory at once."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written."""

    set: str
    folder: str
    format: str
    space: str
    space_digest: str
    documents: int
    """Sources: files and records."""
    chunks: int
    bytes: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        names = ("set", "folder", "format", "space", "space_digest", "documents", "chunks", "bytes")
        return {name: getattr(self, name) for name in names} | {"seconds": round(self.seconds, 3)}


def export_set(sets: OpenSets, name: str, folder: Path, format: str, *, overwrite: bool = False) -> ExportReport:
    """Write set `name` into `folder`, whole or not at all; see `EmbeddingSet.export`."""
    started = time.monotonic()
    known = formats_written()
    if format not in known:
        hint = did_you_mean(format, known)
        raise UsageError(f"{format!r} is no format of exports; there are {', '.join(known)}.", remedy=hint)
    content = sets.content(name)
    generation = content.generation
    with closing(content.store(sets.folder)) as store, written_whole(folder, overwrite=overwrite) as new:
        with _still(sets, generation):  # the rows of the store and the books, as they stand at one moment
            version = store.snapshot()
            sources = _sources(sets, content)
            _write_documents(sets, generation, sources, new / DOCUMENTS)
        with version:
            manifest = _write_chunks(sets, content, version, sources, new, format)
        _write_manifest(manifest, new / FILE)
        size = sum(file.stat().st_size for file in new.iterdir())
    space = generation.space
    return ExportReport(
        name, str(folder), format, str(space), space.digest, manifest.documents, manifest.chunks, size,
        time.monotonic() - started,
    )  # fmt: skip


@contextmanager
def _still(sets: OpenSets, generation: Generation) -> Iterator[None]:
    """Nobody writes the generation for the time of the block. On a disk that cannot be written nobody does anyway."""
    waiting = partial(sets.events.tell, Noted("waiting for another process to finish"))
    with ExitStack() as stack:
        with suppress(HomeNotWritable):
            stack.enter_context(sets.folder.writing(generation, waiting))
        yield


def _sources(sets: OpenSets, content: SetContent) -> Sequence[SourceRow]:
    """Those whose chunks are in the set, or that failed. Raises UsageError where a run stopped in the middle of one."""
    rows = [row for row in content.sources(sets.state, sets.folder) if row.state != "skipped"]
    if waiting := sum(row.waits for row in rows):
        raise UsageError(
            f"{waiting:,} documents of set {content.name!r} wait for their vectors.",
            remedy=remedy.command("index", set=content.own, say="Embed them"),
        )
    if pending := [row.path for row in rows if row.state == "pending"]:
        raise UsageError(
            f"set {content.own!r} was being written when a process stopped, first {pending[0]!r}.",
            remedy=remedy.command("doctor", set=content.own, say="{} says how to go on."),
        )
    return rows


def _write_documents(sets: OpenSets, generation: Generation, sources: Sequence[SourceRow], file: Path) -> None:
    with translated(file), file.open("x", encoding="utf-8", newline="\n") as out:
        for at in range(0, len(sources), GROUP):
            group = sources[at : at + GROUP]
            records = sets.state.records.get(generation.id, [row.path for row in group if row.is_record])
            for row in group:
                out.write(line_of(row, records.get(row.path)))
        out.flush()
        os.fsync(out.fileno())


def _write_chunks(
    sets: OpenSets, content: SetContent, version: Snapshot, sources: Sequence[SourceRow], new: Path, format: str
) -> Manifest:
    """Raises StoreError where there are more or fewer chunks than the books say."""
    generation = content.generation
    total, done, digest = version.count(), 0, RowDigest()
    sets.events.tell(WorkStarted(f"Exporting {total:,} chunks", total))
    with create_table(format, new, COLUMNS, generation.space.dimensions) as table:
        for chunks, by_label in version.scan():
            if not chunks:
                continue
            vectors = by_label[VECTOR]
            _check_finite(generation, vectors.sum())
            table.write(columns_of(chunks), vectors)
            digest.add(chunks, vectors)
            done += len(chunks)
            sets.events.tell(WorkAdvanced(done))
        if done != sum(row.chunks for row in sources):
            raise _damaged(generation, "holds more or fewer chunks than were written")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(
            content.name, format, generation.space, generation.spec, len(sources), done, str(digest), created
        )
        table.finish(manifest.to_dict())
    return manifest


def _write_manifest(manifest: Manifest, file: Path) -> None:
    with translated(file), file.open("x", encoding="utf-8", newline="\n") as out:
        out.write(jsontext.dumps(manifest.to_dict(), indent=2) + "\n")
        out.flush()
        os.fsync(out.fileno())


def _check_finite(generation: Generation, total: float) -> None:
    """`total` is NaN or infinite where any of the numbers is."""
    import math

    if not math.isfinite(total):
        raise _damaged(generation, "holds vectors of NaN or infinity")


def _damaged(generation: Generation, what: str) -> StoreError:
    name = generation.set_name
    return StoreError(f"set {name!r} {what}.", remedy=remedy.command("doctor", set=name, say="{} says what mends it."))
