"""What fonts of a PDF say of their letters, mended where it is known better than a library reads it.

A code of a font has a letter by the table ``ToUnicode``, else by the glyph's name. Some writers fill the table with
U+0000 for ligatures; and names as ``f_i`` or ``fi.alt`` mean letters by the rules of the Adobe Glyph List.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PageObject

MAX_FORMS = 5
"""Levels of drawings in drawings whose fonts are looked at."""
_SECTION = re.compile(rb"beginbf(char|range)(.*?)endbf(?:char|range)", re.DOTALL)
_CHAR = re.compile(rb"<\s*([0-9A-Fa-f]+)\s*>\s*<\s*((?:0000|[fF]{3}[dD]|00[01][0-8b-fB-F])+)\s*>")
"""A code, and what is no letter: U+0000, U+FFFD, a control character other than a tab or the end of a line."""
_RANGE = re.compile(rb"<\s*([0-9A-Fa-f]+)\s*>\s*<\s*\1\s*>\s*<\s*((?:0000|[fF]{3}[dD])+)\s*>")


def mend_fonts(page: PageObject, known: set[int]) -> None:
    """Mend the tables of the fonts of a page, in memory. `known`: the object numbers of those that were looked at."""
    for font in _fonts(page, 0):
        number = getattr(getattr(font, "indirect_reference", None), "idnum", -1)
        if number in known:
            continue
        known.add(number)
        if font.get("/Subtype") != "/Type0":
            _mend(font)


def _fonts(holder: Any, level: int) -> Iterator[Any]:
    resources = dictionary(holder, "/Resources")
    for font in dictionary(resources, "/Font").values():
        if hasattr(font := font.get_object(), "get"):
            yield font
    for form in dictionary(resources, "/XObject").values() if level < MAX_FORMS else ():
        if hasattr(form := form.get_object(), "get") and form.get("/Subtype") == "/Form":
            yield from _fonts(form, level + 1)


def dictionary(holder: Any, key: str) -> Any:
    """The dictionary that a dictionary of a PDF has under `key`; an empty one where it has none."""
    found = holder.get(key)
    found = found.get_object() if found is not None else {}
    return found if isinstance(found, dict) else {}


def _mend(font: Any) -> None:
    from pypdf.generic import DecodedStreamObject, NameObject

    names = dict(_differences(font))
    table: Any = font.get("/ToUnicode", b"")
    if hasattr(table := table.get_object() if table else table, "get_data"):
        table = table.get_data()
    cmap = table if isinstance(table, bytes) else b""
    mended, nothing = _without_nothing(cmap)
    # without a table, the library knows plain names itself
    wanted = nothing if cmap else {code for code, name in names.items() if "_" in name or "." in name or "uni" in name}
    letters = {code: text for code in sorted(wanted & names.keys()) if (text := _letters(names[code]))}
    if not letters and mended == cmap:
        return
    stream = DecodedStreamObject()
    stream.set_data(mended + _chars(letters))
    font[NameObject("/ToUnicode")] = stream


def _without_nothing(cmap: bytes) -> tuple[bytes, set[int]]:
    """The table without entries that are no letter, and their codes."""
    nothing: set[int] = set()

    def cleaned(section: re.Match[bytes]) -> bytes:
        pattern = _CHAR if section[1] == b"char" else _RANGE
        nothing.update(int(found[1], 16) for found in pattern.finditer(section[2]))
        return b"beginbf" + section[1] + pattern.sub(b"", section[2]) + b"endbf" + section[1]

    return _SECTION.sub(cleaned, cmap), nothing


def _differences(font: Any) -> Iterator[tuple[int, str]]:
    """The names of glyphs, by the codes for which the font departs from its encoding."""
    code = 0
    listed = dictionary(font, "/Encoding").get("/Differences")
    for entry in listed.get_object() if listed is not None else ():
        if isinstance(entry, int):
            code = entry
        else:
            yield code, str(entry).removeprefix("/")
            code += 1


def _letters(name: str) -> str:
    from fontTools.agl import toUnicode

    return "" if name == ".notdef" else str(toUnicode(name))


def _chars(letters: dict[int, str]) -> bytes:
    rows = "".join(f"<{code:02X}> <{text.encode('utf-16-be').hex()}>\n" for code, text in letters.items() if code < 256)
    return f"\n{len(letters)} beginbfchar\n{rows}endbfchar\n".encode() if rows else b""
