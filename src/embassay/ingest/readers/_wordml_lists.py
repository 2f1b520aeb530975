"""The numbers and bullets of lists and headings, which Word counts and does not write (ECMA-376-1, section 17.9)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from embassay.ingest.readers._wordml_parts import Styles, has, value
from embassay.ingest.readers._xml import Element, attribute, local, number

MAX_LEVEL = 8
MAX_COUNT = 100_000
MAX_LETTERS = 20
"""Of a number in letters: behind ``z`` comes ``aa``."""
BULLET = "-"
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x")),
    *((9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


class Lists:
    """Counts the paragraphs of lists, in the order of the text."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        self._styles = styles
        children = root if root is not None else ()
        self._abstract = {attribute(each, "abstractNumId"): each for each in children if local(each) == "abstractNum"}
        self._nums = {attribute(each, "numId"): each for each in children if local(each) == "num"}
        self._counts: dict[str, list[int | None]] = defaultdict(lambda: [None] * (MAX_LEVEL + 1))
        """For each abstract list, which several lists may go on with, the number that was last given at each level."""
        self._begun: set[tuple[str, int]] = set()
        """Lists and levels that begin anew where they are first used, and were."""
        self._levels: dict[tuple[str, int], Element | None] = {}

    def label(self, properties: Element) -> str:
        """What stands before a paragraph with these properties (its ``pPr``): ``2.1``, a bullet, or nothing."""
        name, level = self._place(properties)
        form = self._level(name, level)
        if form is None:
            return ""
        kind = value(form, "numFmt")
        if kind == "bullet":
            return BULLET
        counts = self._counted(name, level)
        plain = has(form, "isLgl")

        def written(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            other = self._level(name, at)
            count = counts[at] if counts[at] is not None else _start(other)
            return _written(count or 0, "decimal" if plain or other is None else value(other, "numFmt"))

        return "" if kind == "none" else _PLACE.sub(written, value(form, "lvlText")).strip()

    def _place(self, properties: Element) -> tuple[str, int]:
        """The list that a paragraph belongs to, by itself or by its style, and the level there."""
        if name := value(properties, "numPr", "numId"):
            return name, min(number(value(properties, "numPr", "ilvl")), MAX_LEVEL)
        style, name, level = self._styles.list_of(value(properties, "pStyle"))
        if name and not level:
            bound = (at for at in range(MAX_LEVEL + 1) if style and value_of(self._level(name, at), "pStyle") == style)
            return name, next(bound, 0)
        return name, min(number(level), MAX_LEVEL)

    def _level(self, name: str, level: int) -> Element | None:
        if (name, level) not in self._levels:
            self._levels[name, level] = self._find_level(name, level)
        return self._levels[name, level]

    def _find_level(self, name: str, level: int) -> Element | None:
        num = self._nums.get(name)
        if num is None:
            return None
        for place in (*(each for each in num if local(each) == "lvlOverride"), self._abstract_of(num)):
            for form in place if place is not None else ():
                if local(form) == "lvl" and attribute(form, "ilvl") == str(level):
                    return form
        return None

    def _abstract_of(self, num: Element) -> Element | None:
        found = self._abstract.get(value(num, "abstractNumId"))
        if found is not None and (link := value(found, "numStyleLink")):
            other = self._nums.get(self._styles.list_of(link)[1])
            found = self._abstract.get(value(other, "abstractNumId")) if other is not None else None
        return found

    def _counted(self, name: str, level: int) -> list[int | None]:
        """The numbers at all levels, with one more at this one; those below begin anew."""
        num = self._nums[name]
        counts = self._counts[value(num, "abstractNumId")]
        before = counts[level]
        anew = self._restarts(name, level)
        count = anew if anew is not None else _start(self._level(name, level)) if before is None else before + 1
        counts[level:] = [min(count, MAX_COUNT)] + [None] * (MAX_LEVEL - level)
        return counts

    def _restarts(self, name: str, level: int) -> int | None:
        if (name, level) in self._begun:
            return None
        self._begun.add((name, level))
        for place in self._nums[name]:
            if local(place) == "lvlOverride" and attribute(place, "ilvl") == str(level) and has(place, "startOverride"):
                return number(value(place, "startOverride"))
        return None


def value_of(element: Element | None, name: str) -> str:
    """The attribute ``val`` of a child; empty where there is no element."""
    return value(element, name) if element is not None else ""


def _start(form: Element | None) -> int:
    return number(value(form, "start")) if form is not None and has(form, "start") else 1


def _written(count: int, kind: str) -> str:
    return _KINDS.get(kind, str)(count)


def _letters(count: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[(count - 1) % 26] * min((count - 1) // 26 + 1, MAX_LETTERS) if count else "0"


def _roman(count: int) -> str:
    if not 0 < count < 5_000:
        return str(count)
    said = ""
    for size, sign in _ROMAN:
        said += sign * (count // size)
        count %= size
    return said


_KINDS: Mapping[str, Callable[[int], str]] = {
    "none": lambda _: "",
    "decimalZero": "{:02}".format,
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
}
