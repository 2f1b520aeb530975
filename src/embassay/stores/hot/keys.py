"""The keys of a part's rows. Digests, which all keys of an index run are, take half the bytes of their digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from embassay.stores.hot.sections import Array, Sections, SectionWriter
from embassay.stores.hot.strings import Strings, StringsWriter

DIGITS = 32
"""Of the keys that are packed."""
_DIGEST = re.compile(f"[0-9a-f]{{{DIGITS}}}")
MIX = np.uint64(0x9E3779B97F4A7C15)
"""2**64 by the golden ratio: odd and without a pattern (Knuth, The Art of Computer Programming 3, section 6.4)."""
FEW = 16
"""RowKeys up to which each is looked for in all rows; for more of them the rows are sorted first."""


class KeysWriter:
    """Takes keys in the order of their rows."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._strings: StringsWriter | None = None

    def extend(self, keys: Sequence[str]) -> None:
        """Append these."""
        if self._strings is None and all(map(_DIGEST.fullmatch, keys)):
            self._packed += bytes.fromhex("".join(keys))
            return
        if self._strings is None:
            self._strings = StringsWriter()
            for at in range(0, len(self._packed), DIGITS // 2):
                self._strings.add(self._packed[at : at + DIGITS // 2].hex())
        for key in keys:
            self._strings.add(key)

    def finish(self, out: SectionWriter) -> None:
        """Keep them."""
        if self._strings is None:
            out.add("keys", np.frombuffer(bytes(self._packed), np.uint8))
        else:
            self._strings.finish(out, "key_texts")
        out.facts["packed_keys"] = self._strings is None


class RowKeys:
    """The keys of the rows of a part. Raises HotIndexDamaged."""

    def __init__(self, sections: Sections, rows: int) -> None:
        self._sections, self._rows = sections, rows
        self._is_packed = bool(sections.facts["packed_keys"])

    def at(self, rows: Array) -> list[str]:
        """The keys of these rows."""
        if not self._is_packed:
            return Strings(self._sections, "key_texts").get(rows)
        digits = self._packed[rows].tobytes().hex()
        return [digits[at : at + DIGITS] for at in range(0, len(digits), DIGITS)]

    def find(self, keys: Sequence[str]) -> Array:
        """The row of each key, -1 where there is none."""
        if not self._is_packed:
            return np.array([self._by_text.get(key, -1) for key in keys], np.int64)
        found = np.full(len(keys), -1, np.int64)
        places = [at for at, key in enumerate(keys) if _DIGEST.fullmatch(key)]
        wanted = np.frombuffer(bytes.fromhex("".join(keys[at] for at in places)), np.uint64).reshape(-1, 2)
        for at, row in zip(places, self._rows_of(wanted), strict=True):
            found[at] = row
        return found

    def _rows_of(self, wanted: Array) -> Iterable[int]:
        halves = self._packed.view(np.uint64)
        if len(wanted) <= FEW:
            for first, second in wanted:
                alike = np.flatnonzero(halves[:, 0] == first)
                yield next((int(row) for row in alike if halves[row, 1] == second), -1)
            return
        order, ordered = self._sorted
        mixed = _mixed(wanted)
        for at, mix, pair in zip(np.searchsorted(ordered, mixed).tolist(), mixed, wanted, strict=True):
            row = -1
            while at < len(ordered) and ordered[at] == mix and row < 0:
                row = int(order[at]) if (halves[order[at]] == pair).all() else -1
                at += 1
            yield row

    @cached_property
    def _packed(self) -> Array:
        return self._sections.numbers("keys", self._rows * DIGITS // 2).reshape(-1, DIGITS // 2)

    @cached_property
    def _sorted(self) -> tuple[Array, Array]:
        """The rows in the order of what their keys are found by, and that in this order."""
        mixed = _mixed(self._packed.view(np.uint64))
        order = np.argsort(mixed)
        return order, mixed[order]

    @cached_property
    def _by_text(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(Strings(self._sections, "key_texts").all())}


def _mixed(halves: Array) -> Array:
    """What keys (n, 2) are found by: one number of both halves, because keys may be alike in either of them."""
    mixed: Array = halves[:, 0] ^ (halves[:, 1] * MIX)
    return mixed
