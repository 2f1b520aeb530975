"""Texts in compressed blocks: they take less than half the room, and reading one of them unpacks a block."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from embassay.stores.hot.sections import Array, Sections, SectionWriter

BLOCK = 4096
"""Bytes of texts in a block, before they are compressed: unpacking it takes 16 µs. Of the texts of WordNet, blocks of
1,500 bytes take 44 bytes a row and 7 µs, and those of 16,384 take 38 and 53."""
LEVEL = 6


class StringsWriter:
    """Takes texts one by one. `append` is given the blocks; without it they are kept until `finish`."""

    def __init__(self, append: Callable[[bytes], None] | None = None) -> None:
        self._kept: list[bytes] = []
        self._append = append or self._kept.append
        self._texts: list[bytes] = []
        self._size = 0
        self._firsts, self._ends = [0], [0]
        self._streams = append is not None

    def add(self, text: str) -> None:
        """Keep one more text, which can be encoded."""
        encoded = text.encode()
        self._texts.append(encoded)
        self._size += len(encoded) + 4
        if self._size >= BLOCK:
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
        out.add(f"{name}.ends", np.array(self._ends, np.uint64))

    def _flush(self) -> None:
        lengths = np.array([len(text) for text in self._texts], "<u4")
        planes = lengths.view(np.uint8).reshape(-1, 4).T.tobytes()  # mostly zeros, which compress to nothing
        block = zlib.compress(planes + b"".join(self._texts), LEVEL)
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
        unpacked = {block: self._unpacked(block) for block in set(blocks.tolist())}
        firsts = self._firsts[blocks]
        return [
            self._text(unpacked[block], at)
            for block, at in zip(blocks.tolist(), (wanted - firsts).tolist(), strict=True)
        ]

    def all(self) -> Iterator[str]:
        """All texts in their order. Raises HotIndexDamaged."""
        for block in range(len(self._firsts) - 1):
            unpacked = self._unpacked(block)
            for at in range(len(unpacked[1]) - 1):
                yield self._text(unpacked, at)

    def _unpacked(self, block: int) -> tuple[bytes, Sequence[int]]:
        """A block, and where each of its texts begins and ends in it."""
        count = int(self._firsts[block + 1] - self._firsts[block])
        data = self._sections.array(self._name)[int(self._ends[block]) : int(self._ends[block + 1])]
        try:
            plain = zlib.decompress(data.data)
        except zlib.error as error:
            raise self._sections.damaged(f"a block of {self._name!r} cannot be unpacked") from error
        planes = np.frombuffer(plain[: 4 * count], np.uint8)
        if len(planes) != 4 * count:
            raise self._sections.damaged(f"a block of {self._name!r} is too short")
        lengths: Any = np.ascontiguousarray(planes.reshape(4, count).T).view("<u4").reshape(-1)
        ends = np.cumsum(lengths, dtype=np.int64) + 4 * count
        if ends[-1] != len(plain):
            raise self._sections.damaged(f"a block of {self._name!r} has not the length that it says")
        return plain, [4 * count, *ends.tolist()]

    def _text(self, unpacked: tuple[bytes, Sequence[int]], at: int) -> str:
        plain, ends = unpacked
        try:
            return plain[ends[at] : ends[at + 1]].decode()
        except UnicodeDecodeError as error:
            raise self._sections.damaged(f"a text of {self._name!r} is no UTF-8") from error
