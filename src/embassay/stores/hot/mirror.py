"""A hot index on disk, as it is read: the view that it shows is brought forward as its files change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.hot import log
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.manifest import NAME, HotManifest, described, read
from embassay.stores.hot.recent import Mask, Recent, Rows
from embassay.stores.hot.sections import Sections
from embassay.stores.hot.turn import begun_at
from embassay.stores.hot.view import HotView, Part

if TYPE_CHECKING:
    from embassay.stores.values import Collection

GONE = "gone"
TRIES = 3
"""How often files are looked for that a writer has just put others in the place of."""


class Mirror:
    """The hot index of one collection. Whoever uses it sees to it that one thread at a time does."""

    def __init__(self, folder: Path, collection: Collection) -> None:
        self.folder, self.collection = folder, collection
        self.manifest: HotManifest | None = None
        self._seen: tuple[int, int, int] | None = None
        self._parts: dict[str, Part] = {}
        self._recent = self._new_recent()
        self._read_to = 0
        self._view: HotView | None = None

    def view(self, version: int | None) -> HotView | None:
        """The rows of this version of the store; None where the hot index shows another one.

        While a write is under way it is the version that the write began with. Raises HotIndexDamaged.
        """
        found = self.latest()
        if found is None or version is None:
            return None
        if found.version == version or found.version == begun_at(self.folder):
            return found
        found = self.latest()  # the write that was under way has ended
        return found if found is not None and found.version >= version else None

    def latest(self) -> HotView | None:
        """The rows that the files show now; None where there are no files. Raises HotIndexDamaged."""
        for left in reversed(range(TRIES)):
            try:
                return self._forward()
            except HotIndexDamaged:
                self._seen = None
                if not left or self._stamp() is None:
                    raise
        return None

    def close(self) -> None:
        """Forget what is open; a view that is still in use keeps its files."""
        self._parts, self._view, self._seen, self.manifest = {}, None, None, None

    def forget(self, parts: Iterable[str]) -> None:
        """Open the files of these parts anew when they are needed next."""
        for name in parts:
            self._parts.pop(name, None)
            self._seen = None

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self.folder / NAME).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _forward(self) -> HotView | None:
        stamp = self._stamp()
        if stamp is None:
            self.close()
            return None
        if stamp != self._seen:
            self._open()
            self._seen = stamp
        view, manifest = self._view, self.manifest
        assert view is not None
        assert manifest is not None
        entries, self._read_to = log.read(self.folder / manifest.log, self._read_to) if manifest.log else ([], 0)
        for entry in entries:
            self._recent.add(entry)
            alive = view.removing(entry.gone or {})
            view = HotView(entry.version, view.parts, alive, self._recent.rows())
        self._view = view
        return view

    def _open(self) -> None:
        manifest = read(self.folder)
        if manifest is None:
            raise HotIndexDamaged(self.folder / NAME, "it is missing")
        if manifest.collection != described(self.collection):
            raise HotIndexDamaged(self.folder / NAME, "it is of another collection")
        parts = {name: self._parts.get(name) or Part(self.folder, name, self.collection) for name in manifest.parts}
        self._parts, self.manifest = parts, manifest
        self._recent, self._read_to = self._new_recent(), 0
        gone = read_gone(self.folder, manifest.gone) if manifest.gone else {}
        alive: list[Mask | None] = [None] * len(parts)
        whole = HotView(manifest.version, tuple(parts.values()), alive, self._recent.rows())
        self._view = HotView(manifest.version, whole.parts, whole.removing(gone), whole.recent)

    def _new_recent(self) -> Recent:
        specs = self.collection.vectors.items()
        widths = {label: spec.dimensions for label, spec in specs if not spec.many}
        return Recent(widths, self.collection.analyser.terms)


def read_gone(folder: Path, name: str) -> Mapping[str, Rows]:
    """The rows that were removed from each part. Raises HotIndexDamaged."""
    sections = Sections(folder, f"{name}.{GONE}", GONE)
    return {part: sections.array(part).astype(np.int64) for part in sections.facts["parts"]}
