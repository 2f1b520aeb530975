"""A column of texts of which few are different: each is kept once, and every row has its number."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from embassay.stores.hot.sections import Array, Sections, SectionWriter
from embassay.stores.hot.strings import Strings, StringsWriter

SHORT = 1024
"""Bytes of a block: such texts are short and alike, and are read one at a time as a rule."""

HELD = 200_000
"""Texts of a column that are unpacked once: some 20 MB."""


class CodedWriter:
    """Takes the texts of a column row by row."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._column = array("I")
        self._strings = StringsWriter(block=SHORT)
        self._hashes = array("I")

    def extend(self, texts: Sequence[str]) -> list[str]:
        """Append these rows; the texts that no row had before, in their order, come back."""
        codes, new = self._codes, []
        for text in texts:
            if text not in codes:
                codes[text] = len(codes)
                new.append(text)
        for text in new:
            self._strings.add(text)
            self._hashes.append(hashed(text))
        self._column.extend([codes[text] for text in texts])
        return new

    def finish(self, out: SectionWriter, name: str) -> None:
        """Keep the column under `name`."""
        out.add_numbers(f"{name}.codes", np.frombuffer(self._column, np.uint32))
        out.add(f"{name}.hashes", np.frombuffer(self._hashes, np.uint32))
        self._strings.finish(out, f"{name}.texts")


class Coded:
    """A column of texts of a file. Raises HotIndexDamaged."""

    def __init__(self, sections: Sections, name: str, rows: int) -> None:
        self._sections, self._name, self._rows = sections, name, rows

    @cached_property
    def codes(self) -> Array:
        """The number of each row's text."""
        return self._sections.numbers(f"{self._name}.codes", self._rows)

    @cached_property
    def texts(self) -> Strings:
        """The texts by their numbers."""
        return Strings(self._sections, f"{self._name}.texts")

    def values(self) -> Iterable[str]:
        """All texts by their numbers. Up to `HELD` they are held in memory from the first time on."""
        return self._held if len(self.texts) <= HELD else self.texts.all()

    @cached_property
    def _held(self) -> list[str]:
        return list(self.texts.all())

    def at(self, rows: Array) -> list[str]:
        """The texts of these rows."""
        return self.texts.get(self.codes[rows])

    def having(self, names: Iterable[str]) -> Array:
        """Which rows have one of these texts: bool (rows,)."""
        hashes = self._sections.array(f"{self._name}.hashes")
        chosen = np.zeros(len(hashes), bool)
        for name in names:
            alike = np.flatnonzero(hashes == hashed(name))
            for code, text in zip(alike.tolist(), self.texts.get(alike), strict=True):
                chosen[code] |= text == name
        return self.spread(chosen)

    def passing(self, test: Callable[[str], bool]) -> Array:
        """Which rows have a text that passes `test`, which is asked once for each of them: bool (rows,)."""
        return self.spread(np.fromiter(map(test, self.values()), bool, len(self.texts)))

    def spread(self, chosen: Array) -> Array:
        """What is known of each text, for each row."""
        spread: Array = chosen[self.codes]
        return spread


def hashed(text: str) -> int:
    """By which a text is found among many."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
