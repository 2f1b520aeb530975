"""What a Word document keeps beside its text: styles and notes; and the letters of fonts that stand for symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from embassay.ingest.readers._xml import Element, attribute, local, number

_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)
_GREEK = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "αβχδεφγηιϕκλμνοπθρστυϖωξψζΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ",
        strict=True,
    )
)
"""The letters of the font Symbol, in Adobe's encoding."""
_BOXES = {0x6F: "☐", 0xA8: "☐", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x78: "☒", 0xA7: "▪", 0xB7: "•", 0xE0: "→"}
"""Marks of the fonts Wingdings that are used in text, by their codes."""


def value(element: Element, *path: str) -> str:
    """The attribute ``val`` of the element at the end of `path`, which names children; empty where there is none."""
    for name in path:
        found = next((child for child in element if local(child) == name), None)
        if found is None:
            return ""
        element = found
    return attribute(element, "val")


def has(element: Element, *path: str) -> bool:
    """Whether there is an element at the end of `path`, which names children."""
    for name in path:
        element = next((child for child in element if local(child) == name), None)
        if element is None:
            return False
    return True


def value_is_on(element: Element, *path: str) -> bool:
    """Whether there is a switch at the end of `path`, which names children, and it is on."""
    return has(element, *path) and value(element, *path) not in ("0", "false", "off")


class Styles:
    """Which level of heading a paragraph is: by its own outline level, its style's, or that of a style behind it."""

    def __init__(self, root: Element) -> None:
        self._styles = {attribute(style, "styleId"): style for style in (root if root is not None else ())}
        self._levels: dict[str, int] = {}

    def level(self, properties: Element) -> int:
        """1 to 6, or 0 for what is no heading; `properties` is the ``pPr`` of the paragraph."""
        own = value(properties, "outlineLvl")
        if own.isdecimal():
            return _level(own)
        style = value(properties, "pStyle")
        if style not in self._levels:
            self._levels[style] = self._of_style(style)
        return self._levels[style]

    def list_of(self, name: str) -> tuple[str, str, str]:
        """The style that puts paragraphs of this style into a list, that list's id, and the level if it has one."""
        for each, style in self._with_bases(name):
            if listed := value(style, "pPr", "numPr", "numId"):
                return each, listed, value(style, "pPr", "numPr", "ilvl")
        return "", "", ""

    def _with_bases(self, name: str) -> Iterator[tuple[str, Element]]:
        """The style of this name, then those that it is based on, each with its name."""
        seen: set[str] = set()
        while name in self._styles and name not in seen:
            seen.add(name)
            yield name, self._styles[name]
            name = value(self._styles[name], "basedOn")

    def _of_style(self, name: str) -> int:
        for each, style in self._with_bases(name):
            title = value(style, "name")
            if title.lower() == "title" and each == name:
                return 1
            if heading := _HEADING.match(title):
                return min(int(heading[1]), 6)
            if (own := value(style, "pPr", "outlineLvl")).isdecimal():
                return _level(own)
        heading = _HEADING.match(name) if name not in self._styles else None  # a file without styles may name them
        return min(int(heading[1]), 6) if heading else 0


def _level(outline: str) -> int:
    return min(number(outline) + 1, 6) if number(outline) < 9 else 0


class Notes:
    """Footnotes, endnotes and comments by their ids. Each is said once, where the text first refers to it."""

    def __init__(self, roots: Mapping[str, Element]) -> None:
        self._notes = {
            (kind, attribute(note, "id")): note
            for kind, root in roots.items()
            if root is not None
            for note in root
            if attribute(note, "type") in ("", "normal")
        }
        self._said = 0

    def take(self, kind: str, name: str) -> tuple[Element, int]:
        """The note, and its number in the order of the text; None where it was taken before, or never was."""
        note = self._notes.pop((kind, name), None)
        self._said += note is not None and kind != "comments"
        return note, self._said


def symbol(font: str, code: str) -> str:
    """The character that a font shows for a code in hexadecimal digits; empty where it is only a picture."""
    try:
        point = int(code, 16)
    except ValueError:
        return ""
    private = 0xF000 <= point <= 0xF0FF
    point -= 0xF000 if private else 0
    if font.lower() == "symbol":
        return _GREEK.get(chr(point), _BOXES.get(point, chr(point)))
    if font.lower().startswith("wingdings"):
        return _BOXES.get(point, "")
    return chr(point) if point >= 32 and not 0xD800 <= point < 0xE000 and point < 0x110000 else ""
