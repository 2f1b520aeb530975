"""The rows of two generations side by side: what each key has in both, and what every new row looks like."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from embassay.sets.migration.evidence.predictor import Predictor
from embassay.stores.values import VECTOR
from embassay.vectors import sound_rows

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.side import Side
    from embassay.types import Chunk, Vectors

SHOWN = 5
"""Places that are named, at most."""


@dataclass(slots=True)
class Differences:
    """Rows that are not as they should be, each by its key."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    """Keys under which more than one row is stored."""
    texts: list[str] = field(default_factory=list)
    """Keys whose text is not that of the live generation."""
    metadata: list[str] = field(default_factory=list)
    """Keys whose metadata, document or place is another."""
    unsound: list[str] = field(default_factory=list)
    """Keys whose vector can be that of no text: zero, NaN, or of a wrong length."""
    refused: int = 0
    """Texts that the new model did not take, as is written of their origins."""


class Pairing:
    """Gathered in one pass over each generation. Memory: the old vectors at 2 bytes a number, and the keys."""

    def __init__(self, old: Side, new: Side, changing: Collection[str]) -> None:
        """`changing`: paths of origins that differ by right, and are left out."""
        self.old, self.new, self._changing = old, new, changing
        self.differences = Differences()
        self.old_rows = self.new_rows = 0
        self.at: dict[str, int] = {}
        """Of each key, which of `old_vectors` is its."""
        self._seen: list[tuple[bytes, bytes]] = []
        self._paths: list[str] = []
        self._present: Collection[str] = ()
        self.old_vectors = self._read_old()
        self.predictor = Predictor(self.old_vectors.shape[1], new.generation.space.dimensions)
        self.alike: list[list[str]] = []
        """Keys of different texts that have one vector, group by group."""
        self._read_new()

    @property
    def names(self) -> Iterator[str]:
        """Keys that both generations have, in the order of the old one."""
        return (key for key in self.at if key in self._present)

    def place(self, key: str) -> str:
        """Where the document of a key is, for a person."""
        return self._paths[self.at[key]] if key in self.at else key

    def known(self, chunks: list[Chunk]) -> tuple[list[int], Vectors]:
        """(positions of chunks that both generations have, old vectors of those)."""
        found = [at for at, chunk in enumerate(chunks) if chunk.key in self.at]
        return found, self.old_vectors[[self.at[chunks[at].key] for at in found]]

    def _read_old(self) -> Vectors:
        import numpy as np

        blocks: list[Vectors] = [np.empty((0, self.old.generation.space.dimensions), np.float16)]
        for chunks, by_label in self.old.snapshot.scan():
            self.old_rows += len(chunks)
            kept = [at for at, chunk in enumerate(chunks) if chunk.path not in self._changing]
            for at in kept:
                self.at[chunks[at].key] = len(self._seen)
                self._seen.append(_digests(chunks[at]))
                self._paths.append(chunks[at].path)
            blocks.append(by_label[VECTOR][kept].astype(np.float16))
        return np.vstack(blocks)

    def _read_new(self) -> None:
        keys, groups = Counter[str](), defaultdict[bytes, list[tuple[str, bytes]]](list)
        found, rows = self.differences, Counter[str]()
        for chunks, by_label in self.new.snapshot.scan():
            self.new_rows += len(chunks)
            kept = [at for at, chunk in enumerate(chunks) if chunk.path not in self._changing]
            chunks, vectors = [chunks[at] for at in kept], by_label[VECTOR][kept]
            sound = sound_rows(vectors, normalised=self.new.generation.space.similarity == "cosine")
            found.unsound += [chunk.key for chunk, good in zip(chunks, sound, strict=True) if not good]
            for chunk, vector in zip(chunks, vectors, strict=True):
                keys[chunk.key] += 1
                rows[chunk.path] += 1
                text = self._compare(chunk)
                groups[blake2b(vector.tobytes(), digest_size=16).digest()].append((chunk.key, text))
            both, old = self.known(chunks)
            self.predictor.learn(old, [chunks[at].indexed for at in both], _finite(vectors[both]))
        found.doubled = [key for key, times in keys.items() if times > 1]
        self._present = keys.keys()
        found.missing = [key for key in self.at if key not in keys]
        self._explain(rows)
        for group in groups.values():
            if len({text for _, text in group}) > 1:
                self.alike.append([key for key, _ in group])

    def _compare(self, chunk: Chunk) -> bytes:
        """The digest of the text of a new row, which is held against the old one."""
        text, rest = _digests(chunk)
        at = self.at.get(chunk.key)
        if at is None:
            self.differences.extra.append(chunk.key)
        elif text != self._seen[at][0]:
            self.differences.texts.append(chunk.key)
        elif rest != self._seen[at][1]:
            self.differences.metadata.append(chunk.key)
        return text

    def _explain(self, rows: Counter[str]) -> None:
        """Texts that the new model refused are written with their origins: their rows are not missing."""
        refused = {
            path: theirs.chunks - ours.chunks
            for path, theirs in self.old.sources.items()
            if (ours := self.new.sources.get(path)) and ours.chunks < theirs.chunks and rows[path] == ours.chunks
        }
        missing = []
        for key in self.differences.missing:
            if refused.get(self.place(key), 0) > 0:
                refused[self.place(key)] -= 1
                self.differences.refused += 1
            else:
                missing.append(key)
        self.differences.missing = missing


def _finite(vectors: Vectors) -> Vectors:
    import numpy as np

    return np.nan_to_num(vectors, nan=0.0, posinf=0.0, neginf=0.0)


def _digests(chunk: Chunk) -> tuple[bytes, bytes]:
    """(of its text, of all else that both generations have to have alike)."""
    said = (chunk.document, chunk.path, chunk.section, chunk.body_at, chunk.lines, chunk.span)
    rest = repr((said, sorted(chunk.metadata.items(), key=lambda item: item[0])))
    return _digest(chunk.indexed), _digest(rest)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
