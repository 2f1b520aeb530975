"""Writes a hot index: small writes into its log, the log into parts, and parts into larger ones.

The caller holds the turn (`embassay.stores.hot.turn`). Every step ends with one file that is replaced or appended to,
so that a process that is killed leaves the hot index as it was before the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.dtypes import rounded
from embassay.stores.hot import log, manifest, titles
from embassay.stores.hot.errors import BuildGivenUp, HotIndexDamaged
from embassay.stores.hot.manifest import HotManifest
from embassay.stores.hot.mirror import GONE, Mirror
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.sections import SectionWriter
from embassay.stores.hot.vectors import VectorPart
from embassay.stores.hot.view import HotView, of_label
from embassay.stores.hot.words import WordPart
from embassay.stores.values import Collection, VectorSpec

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Vectors

LOG_ROWS = 2048
"""Rows of the log from which on it becomes a part: a search looks at each of them, and a new process reads them all."""
FOLDED_ROWS = 256
"""The same where parts are joined anyway."""
PART_ROWS = 16_384
"""Parts of fewer rows are joined while a long run goes on."""
SMALL_SHARE = 8
"""At the end of a run small parts are joined into the largest one where they have more than one row in so many."""
MOST_PARTS = 4
"""At the end of a run. Each is a search of its own."""
COPIED_BYTES = 8_000_000
"""Of vectors that parts hold and the files of the store as well: at the end of a run such parts are written anew."""


class HotWriter:
    """Brings a hot index forward. `mirror` is the one that this process reads it by."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._folder, self._collection = mirror.folder, mirror.collection

    def write(
        self, version: int, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], removed: Sequence[str]
    ) -> None:
        """Take in what was written to the store, which has this version now. `removed` are keys of rows that went, and
        those of `chunks` take the place of rows that have their keys. Raises HotIndexDamaged, HomeNotWritable.
        """
        view = self._now()
        keys = list(dict.fromkeys([*removed, *(chunk.key for chunk in chunks)]))
        gone = {part.name: rows.tolist() for part, rows in view.find(keys) if len(rows)}
        specs = self._specs()
        entry = log.LogEntry(
            version,
            keys,
            gone,
            chunks,
            [self._collection.analyser.terms(chunk.indexed) for chunk in chunks],
            {label: rounded(vectors[label], spec.dtype) for label, spec in specs.items()} if chunks else None,
        )
        log.append(self._folder / self._manifest().log, entry)
        if self._now().recent.rows >= LOG_ROWS:
            self.fold()

    def stands_at(self, version: int) -> None:
        """Say that the same rows have another version now."""
        if self._now().version != version:
            log.append(self._folder / self._manifest().log, log.LogEntry(version))

    def fold(self) -> None:
        """Make a part of the log."""
        view, found = self._now(), self._manifest()
        recent = view.recent
        rows = np.flatnonzero(recent.alive)
        made, parts = found.made, list(found.parts)
        if len(rows):
            made += 1
            name = f"part{made}"
            RowPart.write(self._folder, name, recent.fetch(rows))
            WordPart.write(self._folder, name, recent.terms(rows))
            for label, spec in self._specs().items():
                VectorPart.write(self._folder, of_label(name, label), [recent.read(label, rows)], spec)
            parts.append(name)
        gone, made = self._write_gone(view, found.parts, made)
        self._replace(
            replace(found, version=view.version, parts=tuple(parts), gone=gone, log=f"log{made + 1}", made=made + 1)
        )

    def join(self, *, thorough: bool, files: Sequence[Path] = ()) -> None:
        """Make one part of several: of small ones while a run goes on, of most of them at its end.

        `files` are those in which the store keeps the vectors, which a part then need not keep itself.
        """
        if self._now().recent.rows >= FOLDED_ROWS:
            self.fold()
        view = self._now()
        alive = [int(mask.sum()) for mask in view.alive_of_each[:-1]]
        chosen = _ended(view, alive) if thorough else _small(alive)
        if chosen:
            self._join(view, chosen, files)

    def keep_hold(self, files: Sequence[Path]) -> None:
        """Have the parts read their rows from `files`, which the store has now: those of before will be removed."""
        view = self._now()
        moved = [
            (at, part.name, vectors)
            for at, part in enumerate(view.parts)
            for vectors in part.vectors.values()
            if not vectors.reads_only(files)
        ]
        lost = {at for at, _, vectors in moved if not vectors.repoint(files)}
        self._mirror.forget(name for _, name, _ in moved)
        if lost:
            self._join(self._now(), sorted(lost), files)

    def build(
        self,
        version: int,
        rows: Snapshot,
        files: Sequence[Path] = (),
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make the hot index anew of what the store has at this version.

        Raises BuildGivenUp as soon as `given_up` says so.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        old = _readable(self._folder)
        if old is None:
            manifest.sweep(self._folder)  # names are given anew
        made = old.made if old else 0
        name = f"part{made + 1}"
        parts = (name,) if rows.count() else ()
        if parts:
            self._build_part(name, rows, files, given_up)
        described = manifest.described(self._collection)
        self._replace(HotManifest(described, version, parts, log=f"log{made + 2}", made=made + 2))

    def _build_part(self, name: str, rows: Snapshot, files: Sequence[Path], given_up: Callable[[], bool]) -> None:
        """Each kind of file takes a pass of its own over the rows: they are too many to be held."""
        terms = self._collection.analyser.terms

        def scan(*labels: str) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
            for block in rows.scan(labels):
                if given_up():
                    raise BuildGivenUp
                yield block

        RowPart.write(self._folder, name, (chunk for chunks, _ in scan() for chunk in chunks))
        WordPart.write(self._folder, name, (terms(chunk.indexed) for chunks, _ in scan() for chunk in chunks))
        for label in self._specs():
            blocks = (vectors[label] for _, vectors in scan(label))
            VectorPart.write(self._folder, of_label(name, label), blocks, self._specs()[label], files=files)

    def _join(self, view: HotView, chosen: Sequence[int], files: Sequence[Path]) -> None:
        found, parts = self._manifest(), [view.parts[at] for at in chosen]
        order = np.concatenate(
            [
                np.stack([np.full(int(mask.sum()), number), np.flatnonzero(mask)], axis=1)
                for number, mask in enumerate(view.alive_of_each[at] for at in chosen)
            ]
        ).astype(np.int64)
        made, kept = found.made, [name for at, name in enumerate(found.parts) if at not in set(chosen)]
        if len(order):
            made += 1
            name = f"part{made}"
            RowPart.merge(self._folder, name, [part.chunks for part in parts], order)
            WordPart.merge(self._folder, name, [part.words for part in parts], order)
            if any(part.has_titles for part in parts):  # who asked for them will do so again
                above = [one for part in parts if isinstance(one := part.titles, WordPart)]
                if len(above) == len(parts):
                    WordPart.merge(self._folder, titles.named(name), above, order)
            for label, spec in self._specs().items():
                of_parts = [part.vectors[label] for part in parts]
                VectorPart.merge(self._folder, of_label(name, label), of_parts, order, spec, files=files)
            kept.insert(chosen[0], name)
        gone, made = self._write_gone(view, kept, made)
        self._replace(replace(found, parts=tuple(kept), gone=gone, made=made))

    def _write_gone(self, view: HotView, parts: Iterable[str], made: int) -> tuple[str, int]:
        """Write which rows of these parts were removed; the name of the file, and how many names were given."""
        wanted = set(parts)
        gone = {
            part.name: np.flatnonzero(~alive)
            for part, alive in view.each()
            if alive is not None and part.name in wanted
        }
        if not any(map(len, gone.values())):
            return "", made
        name = f"gone{made + 1}"
        with SectionWriter(self._folder, f"{name}.{GONE}", GONE) as out:
            for part, rows in gone.items():
                out.add(part, rows.astype(np.uint32))
            out.facts["parts"] = [*gone]
        return name, made + 1

    def _now(self) -> HotView:
        view = self._mirror.latest()
        assert view is not None, "the caller has seen that there is a hot index"
        return view

    def _manifest(self) -> HotManifest:
        found = self._mirror.manifest
        assert found is not None, "a view was read by it"
        return found

    def _replace(self, made: HotManifest) -> HotManifest:
        manifest.write(self._folder, made)
        manifest.sweep(self._folder, made)
        return made

    def _specs(self) -> Mapping[str, VectorSpec]:
        return mirrored(self._collection)


def mirrored(collection: Collection) -> Mapping[str, VectorSpec]:
    """The labels that a hot index holds: those of which each row has one vector."""
    return {label: spec for label, spec in collection.vectors.items() if not spec.many}


def _small(alive: Sequence[int]) -> list[int]:
    """The small parts, where together they make one that is not."""
    small = [at for at, rows in enumerate(alive) if rows < PART_ROWS]
    return small if len(small) > 1 and sum(alive[at] for at in small) >= PART_ROWS else []


def _ended(view: HotView, alive: Sequence[int]) -> list[int]:
    """What is joined at the end of a run: all parts, or all but the largest where the others are few beside it."""
    if not alive:
        return []
    largest = max(range(len(alive)), key=alive.__getitem__)
    others = sum(alive) - alive[largest]
    removed = view.parts[largest].rows - alive[largest]
    copied = sum(vectors.own_bytes for part in view.parts for vectors in part.vectors.values())
    if (others + removed) * SMALL_SHARE > alive[largest] or len(alive) > MOST_PARTS or copied > COPIED_BYTES:
        return [*range(len(alive))] if len(alive) > 1 or removed or copied > COPIED_BYTES else []
    rest = [at for at in range(len(alive)) if at != largest]
    return rest if len(rest) > 1 else []


def _readable(folder: Path) -> HotManifest | None:
    try:
        return manifest.read(folder)
    except HotIndexDamaged:
        return None
