"""The file that says what a hot index consists of: it is replaced as a whole, so that readers see one state or another.

The files that it names never change, but for the log, which grows. Files that it names no more are removed at once: who
has them open goes on to read them, and who was about to open them reads the manifest again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.stores.hot.errors import HotIndexDamaged, writing
from embassay.words.analyser import VERSION

if TYPE_CHECKING:
    from embassay.stores.values import Collection

NAME = "hot.json"
FORMAT = 1
"""Of the files of a hot index. One of another format is made anew."""


@dataclass(frozen=True, slots=True)
class HotManifest:
    """What a hot index consists of."""

    collection: str
    """What it was made for, see `described`."""
    version: int
    """Of the store whose rows the parts and `gone` show; the log goes on from there."""
    parts: tuple[str, ...] = ()
    gone: str = ""
    """The file of the rows that were removed from parts; none where it is empty."""
    log: str = ""
    """The file of the writes since then, which is missing until there is one."""
    made: int = 0
    """How many names of files have been given."""
    format: int = FORMAT


def described(collection: Collection) -> str:
    """Whatever of a collection decides what a hot index of it holds."""
    labels = (
        f"{label}:{spec.dimensions}:{spec.dtype}:{spec.similarity}"
        for label, spec in sorted(collection.vectors.items())
    )
    return f"{collection.name} {collection.language} {VERSION} {' '.join(labels)}"


def read(folder: Path) -> HotManifest | None:
    """The manifest of a folder; None where there is none. Raises HotIndexDamaged."""
    file = folder / NAME
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HotIndexDamaged(file, f"it cannot be read ({error.strerror})") from error
    try:
        said = jsontext.loads(text)
        found = HotManifest(**{**said, "parts": tuple(said["parts"])})
    except (ValueError, TypeError, KeyError) as error:
        raise HotIndexDamaged(file, "it is no manifest") from error
    names = (*found.parts, found.gone, found.log)
    if found.format != FORMAT or not all(isinstance(name, str) and name.isalnum() | (not name) for name in names):
        raise HotIndexDamaged(file, "it is of another version")
    return found


def write(folder: Path, manifest: HotManifest) -> None:
    """Replace the manifest of a folder. Raises HomeNotWritable."""
    file, new = folder / NAME, folder / f".{NAME}.new"
    with writing(file):
        with new.open("w") as out:
            out.write(jsontext.dumps(asdict(manifest)))
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)


def sweep(folder: Path, keep: HotManifest | None = None) -> None:
    """Remove the files that a manifest does not name, and what a killed process left half written; all of them where
    there is none."""
    kept = {*keep.parts, keep.gone, keep.log} - {""} if keep else set()
    for entry in os.scandir(folder):
        if entry.name not in (NAME, TURN) and entry.name.partition(".")[0] not in kept:
            with suppress(OSError):
                Path(entry.path).unlink()


TURN = "turn"
"""The file whose lock a writer holds, see `embassay.stores.hot.turn`."""
