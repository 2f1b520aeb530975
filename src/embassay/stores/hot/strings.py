"""Texts in compressed blocks: they take less than half the room, and reading one of them unpacks a block."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from embassay.stores.hot.sections import Array, Sections, SectionWriter

BLOCK = 1536
"""Bytes of texts in a block, before they are compressed. Of the texts of WordNet such blocks take 44 bytes a row, and
unpacking one 7 µs; those of 4,096 take 40 bytes and 17 µs, and those of 16,384 take 38 and 53."""
LEVEL = 6
_SHORT, _LONG = b"H", b"I"
"""What a block begins with: how the lengths of its texts are written, in two bytes or in four."""


class StringsWriter:
    """Takes texts one by one. `append` is given the blocks; without it they are kept until `finish`."""

    def __init__(self, append: Callable[[bytes], None] | None = None, block: int = BLOCK) -> None:
        self._kept: list[bytes] = []
        self._append = append or self._kept.append
        self._streams, self._block = append is not None, block
        self._texts: list[bytes] = []
        self._size = 0
        self._firsts, self._ends = [0], [0]

    def add(self, text: str) -> None:
        """Keep one more text, which can be encoded."""
        encoded = text.encode()
        self._texts.append(encoded)
        self._size += len(encoded) + 2
        if self._size >= self._block:
            self._flush()

    def finish(self, out: SectionWriter, name: str) -> None:
        """Keep the texts under `name`, which is also what their blocks were appended to."""
        if self._texts:
            self._flush()
        if not self._streams:
            append = out.stream(name)
            for block in self._kept:
                append(block)
        out.add(f"{name}.firsts", np.array(self._firsts, np.uint32))
        out.add(f"{name}.ends", np.array(self._ends, np.uint64 if self._ends[-1] >> 32 else np.uint32))

    def _flush(self) -> None:
        lengths = [len(text) for text in self._texts]
        kind = _LONG if max(lengths) >> 16 else _SHORT
        packed = struct.pack(f"<{len(lengths)}{kind.decode()}", *lengths)
        block = zlib.compress(b"".join((kind, packed, *self._texts)), LEVEL)
        self._append(block)
        self._firsts.append(self._firsts[-1] + len(self._texts))
        self._ends.append(self._ends[-1] + len(block))
        self._texts, self._size = [], 0


class Strings:
    """The texts under one name of a file, by their positions."""

    def __init__(self, sections: Sections, name: str) -> None:
        self._sections, self._name = sections, name
        self._firsts, self._ends = sections.array(f"{name}.firsts"), sections.array(f"{name}.ends")

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def get(self, positions: Iterable[int] | Array) -> list[str]:
        """The texts at these positions, in that order. Raises HotIndexDamaged."""
        wanted = np.asarray(positions, np.int64)
        blocks = np.searchsorted(self._firsts, wanted, "right") - 1
        places = (wanted - self._firsts[blocks]).tolist()
        unpacked: dict[int, tuple[bytes, int, Sequence[int]]] = {}
        found = []
        for block, place in zip(blocks.tolist(), places, strict=True):
            if block not in unpacked:
                unpacked[block] = self._unpacked(block)
            plain, start, lengths = unpacked[block]
            start += sum(lengths[:place])
            found.append(self._decoded(plain[start : start + lengths[place]]))
        return found

    def all(self) -> Iterator[str]:
        """All texts in their order. Raises HotIndexDamaged."""
        for block in range(len(self._firsts) - 1):
            plain, first, lengths = self._unpacked(block)
            ends = [*accumulate(lengths, initial=first)]
            texts = plain[ends[0] :]
            if texts.isascii():  # characters lie where bytes do
                whole, start = texts.decode(), ends[0]
                yield from [whole[first - start : end - start] for first, end in pairwise(ends)]
            else:
                yield from [self._decoded(plain[first:end]) for first, end in pairwise(ends)]

    def _unpacked(self, block: int) -> tuple[bytes, int, Sequence[int]]:
        """A block, where its first text begins, and how long its texts are, which lie one behind another."""
        count = int(self._firsts[block + 1]) - int(self._firsts[block])
        data = self._sections.array(self._name)[int(self._ends[block]) : int(self._ends[block + 1])]
        try:
            plain = zlib.decompress(data.data)
            lengths = _lengths(plain[:1], count).unpack_from(plain, 1)
        except (zlib.error, struct.error, ValueError) as error:
            raise self._sections.damaged(f"a block of {self._name!r} cannot be unpacked") from error
        first = 1 + (4 if plain[:1] == _LONG else 2) * count
        if first + sum(lengths) != len(plain):
            raise self._sections.damaged(f"a block of {self._name!r} has not the length that it says")
        return plain, first, lengths

    def _decoded(self, text: bytes) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise self._sections.damaged(f"a text of {self._name!r} is no UTF-8") from error


@lru_cache(maxsize=4096)
def _lengths(kind: bytes, count: int) -> struct.Struct:
    """What reads so many lengths. To make one takes longer than to use it."""
    return struct.Struct(f"<{count}{kind.decode()}")
