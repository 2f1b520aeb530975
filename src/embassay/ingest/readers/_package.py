"""The parts of an Office Open XML package, and how they refer to one another (ECMA-376, part 2)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from embassay.ingest.base import ReadError
from embassay.ingest.readers._archive import Archive
from embassay.ingest.readers._xml import Element, attribute, local, parse


@dataclass(frozen=True)
class Relation:
    """What a part refers to."""

    kind: str
    """The last word of its type, such as ``footnotes``: transitional and strict files differ in what stands before."""
    target: str
    """The name of a part, in the spelling of the archive; empty for what lies outside of the package."""


class Package:
    """Parts by name. Names are compared without case, as the standard asks."""

    def __init__(self, archive: Archive, what: str) -> None:
        self._archive = archive
        self._what = what
        self._names = {name.lower(): name for name in archive}
        self._relations: dict[str, dict[str, Relation]] = {}

    def root(self, part: str) -> Element:
        """The root element of a part, of lxml. Raises ReadError for one that is missing or no XML."""
        return parse(self._archive.read(part), f"{self._what} ({part})")

    def data(self, part: str) -> bytes:
        """The bytes of a part. Raises ReadError for one that is missing."""
        return self._archive.read(part)

    def main(self, usual: str) -> str:
        """The part that the package is about; where it names none, the one that is `usual`. Raises ReadError."""
        found = [*self.of_kind("", "officeDocument"), self._names.get(usual.lower(), "")]
        if not found[0]:
            raise ReadError(f"not a readable {self._what}: it has no document")
        return found[0]

    def of_kind(self, part: str, kind: str) -> list[str]:
        """The parts of this kind that `part` refers to."""
        return [found.target for found in self.relations(part).values() if found.kind == kind and found.target]

    def relations(self, part: str) -> dict[str, Relation]:
        """What `part` refers to, by the ids that it uses; the package itself is the part without a name."""
        if part not in self._relations:
            self._relations[part] = self._read_relations(part)
        return self._relations[part]

    def _read_relations(self, part: str) -> dict[str, Relation]:
        folder, name = posixpath.split(part)
        listed = self._names.get(posixpath.join(folder, "_rels", f"{name}.rels").lower())
        if listed is None:
            return {}
        found = {}
        for element in self.root(listed):
            if local(element) != "Relationship":
                continue
            inside = element.get("TargetMode") != "External"
            target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", ""))).lstrip("/")
            found[attribute(element, "Id")] = Relation(
                element.get("Type", "").rpartition("/")[2], self._names.get(target.lower(), "") if inside else ""
            )
        return found
