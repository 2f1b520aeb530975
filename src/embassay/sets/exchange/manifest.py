"""What an export says of itself: ``space.json`` in its folder, and in the metadata of a file that has room for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay import jsontext
from embassay.errors import ReadError
from embassay.sets.spec import SetSpec
from embassay.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.types import Chunk, Vectors

FILE, DOCUMENTS = "space.json", "documents.jsonl"
KIND, VERSION = "embassay-export", 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which set it was, in which space, and how much there is of it."""

    set: str
    format: str
    space: Space
    spec: SetSpec
    documents: int
    chunks: int
    digest: str
    """Of the keys of all chunks, their texts and their vectors, in the order in which they stand, see `RowDigest`."""
    created: str
    """Date and time, UTC."""

    def to_dict(self) -> dict[str, object]:
        """The manifest as it is written."""
        counts = {name: getattr(self, name) for name in ("set", "format", "documents", "chunks", "digest", "created")}
        space = {"name": str(self.space), "digest": self.space.digest, **self.space.to_dict()}
        return {"kind": KIND, "version": VERSION} | counts | {"space": space, "spec": self.spec.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Manifest:
        """The manifest that `to_dict` wrote. Raises KeyError, TypeError."""
        counts = {name: data[name] for name in ("set", "format", "documents", "chunks", "digest", "created")}
        if not (type(counts["documents"]) is type(counts["chunks"]) is int):
            raise TypeError("its counts are no numbers")
        return cls(space=Space.from_dict(data["space"]), spec=SetSpec.from_dict(data["spec"]), **counts)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an export; None where `folder` is none. Raises ReadError for one that is damaged or newer."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        data = jsontext.loads(file.read_bytes())
        if not isinstance(data, dict) or data.get("kind") != KIND:
            return None
        if data["version"] != VERSION:
            raise ReadError(f"{file} was written by a later embassay: version {data['version']}")
        return Manifest.from_dict(data)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise ReadError(f"{file} is damaged: {type(error).__name__}: {error}") from error


class RowDigest:
    """Grows with the rows of an export: equal for equal rows in the same order, whatever format they stand in."""

    def __init__(self) -> None:
        self._texts, self._vectors = blake2b(digest_size=16), blake2b(digest_size=16)

    def add(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Take the next rows: `vectors` is (len(chunks), dimensions)."""
        import numpy as np

        for chunk in chunks:
            self._texts.update(f"{chunk.key}\0{len(chunk.indexed)}\0{chunk.indexed}".encode("utf-8", "surrogatepass"))
        self._vectors.update(np.ascontiguousarray(vectors, "<f4").tobytes())

    def __str__(self) -> str:
        return self._texts.hexdigest() + self._vectors.hexdigest()
