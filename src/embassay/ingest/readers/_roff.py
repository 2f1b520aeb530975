"""The escapes and glyphs of roff, as its pages for manuals use them (groff(7), groff_char(7))."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

GLYPHS = {
    "aq": "'", "dq": '"', "lq": "\u201c", "rq": "\u201d", "oq": "\u2018", "cq": "\u2019", "Bq": "\u201e",
    "bq": "\u201a",
    "ha": "^", "ti": "~", "rs": "\\", "sl": "/", "ba": "|", "at": "@", "sh": "#", "Do": "$", "ga": "`", "aa": "\u00b4",
    "lB": "[", "rB": "]", "lC": "{", "rC": "}", "la": "\u27e8", "ra": "\u27e9", "ul": "_", "ru": "_", "or": "|",
    "hy": "-", "en": "\u2013", "em": "\u2014", "mi": "\u2212", "pl": "+", "eq": "=", "bu": "\u2022", "ci": "\u25cb",
    "sq": "\u25a1", "dg": "\u2020", "dd": "\u2021", "sc": "\u00a7", "ps": "\u00b6", "co": "\u00a9", "rg": "\u00ae",
    "tm": "\u2122", "de": "\u00b0", "mc": "\u00b5", "mu": "\u00d7", "di": "\u00f7", "+-": "\u00b1", "<=": "\u2264",
    ">=": "\u2265", "!=": "\u2260", "==": "\u2261", "~~": "\u2248", "->": "\u2192", "<-": "\u2190", "<>": "\u2194",
    "ua": "\u2191", "da": "\u2193", "if": "\u221e", "sr": "\u221a", "Fo": "\u00ab", "Fc": "\u00bb", "fo": "\u2039",
    "fc": "\u203a", "ss": "\u00df", "ae": "\u00e6", "AE": "\u00c6", "oe": "\u0153", "OE": "\u0152", "/o": "\u00f8",
    "/O": "\u00d8", "/l": "\u0142", "/L": "\u0141", "-D": "\u00d0", "Sd": "\u00f0", "TP": "\u00de", "Tp": "\u00fe",
    "r!": "\u00a1", "r?": "\u00bf", "eu": "\u20ac", "Eu": "\u20ac", "Po": "\u00a3", "Ye": "\u00a5", "ct": "\u00a2",
    "Of": "\u00aa", "Om": "\u00ba", "12": "\u00bd", "14": "\u00bc", "34": "\u00be", "S1": "\u00b9", "S2": "\u00b2",
    "S3": "\u00b3", "fm": "\u2032", "lh": "\u261e", "OK": "\u2713", "hs": "\u21b3", "t+-": "\u00b1", "u2010": "-",
    "*a": "\u03b1", "*b": "\u03b2", "*g": "\u03b3", "*d": "\u03b4", "*l": "\u03bb", "*m": "\u03bc", "*p": "\u03c0",
    "*s": "\u03c3", "*W": "\u03a9", "no": "\u00ac", "ap": "~", "an": "-", "br": "|", "rn": "", "bv": "|", "sp": " ",
}  # fmt: skip
ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", ":": "\u0308", "~": "\u0303", ",": "\u0327", "v": "\u030c",
           "o": "\u030a"}  # fmt: skip
"""Marks that stand in front of a letter in the name of a glyph."""
STRINGS = {
    "Aq": "'", "lq": "\u201c", "rq": "\u201d", "R": "\u00ae", "Tm": "\u2122", "S": "", "L\"": '"', "R\"": '"', "C`": "",
    "C'": "", "--": "\u2014", "PI": "\u03c0", "Ba": "|", "Lt": "<", "Gt": ">", "Am": "&", "Ne": "\u2260",
    "Le": "\u2264",
    "Ge": "\u2265", "aa": "\u00b4", "ga": "`", "q": '"', "Pm": "\u00b1", "If": "\u221e", "Na": "NaN", "Px": "POSIX",
    "Ai": "ANSI", "<=": "\u2264", ">=": "\u2265",
}  # fmt: skip
"""Strings that the macro packages define."""
_NAME = r"(?:\((?P<{0}2>..)|\[(?P<{0}n>[^\]\n]{{0,60}})\]|(?P<{0}1>[^(\[]))"
_ESCAPE = re.compile(
    r"\\(?:"
    rf"\*{_NAME.format('s')}|"
    r"\((?P<g2>..)|\[(?P<gn>[^\]\n]{0,60})\]|C'(?P<gc>[^'\n]{0,60})'|"
    rf"[fFmMgkn]\+?{_NAME.format('x')}|"
    r"s(?:[+-]?(?:\(\d\d|\[[^\]\n]{0,9}\]|'[^'\n]{0,9}'|[1-3]\d|\d))|"
    r"[hvwlLobDSHXAxRBZN](?P<q>['\"])(?P<arg>[^'\"\n]{0,300})(?P=q)|"
    r"(?P<c>.))"
)
_LETTERS = {"e": "\\", "0": " ", "~": " ", "t": "\t"} | dict.fromkeys("&|^%:/,)!cdurzpaMmE{}", "")
"""What escapes of one letter print, where that is not the letter itself."""


def plain(text: str, strings: Mapping[str, str] = STRINGS) -> str:
    """A line of roff with its escapes resolved. `strings`: what stands for each name, the page's own ones included."""
    if "\\" not in text:
        return text

    def said(found: re.Match[str]) -> str:
        groups = found.groupdict()
        name = next((groups[key] for key in ("s2", "sn", "s1") if groups[key] is not None), None)
        if name is not None:
            return strings.get(name, "")
        glyph = next((groups[key] for key in ("g2", "gn", "gc") if groups[key] is not None), None)
        if glyph is not None:
            return _glyph(glyph)
        character = groups["c"]
        if character is None:
            return (groups["arg"] or "") if found[0][1] in "oZ" else " " if found[0][1] == "h" else ""
        return _LETTERS.get(character, character)

    return _ESCAPE.sub(said, uncommented(text))


def uncommented(line: str) -> str:
    """A line without the comment at its end."""
    at = line.find('\\"')
    while at > 0 and line[at - 1] == "\\" and (at < 2 or line[at - 2] != "\\"):
        at = line.find('\\"', at + 1)
    found = line.find("\\#")
    ends = [end for end in (at, found) if end >= 0]
    return line[: min(ends)] if ends else line


def _glyph(name: str) -> str:
    if name in GLYPHS:
        return GLYPHS[name]
    if name.startswith("u") and re.fullmatch(r"u[0-9A-F]{4,6}(?:_[0-9A-F]{4,6})*", name):
        return "".join(chr(int(part, 16)) for part in name[1:].split("_") if int(part, 16) < 0x110000)
    if name.startswith("char") and name[4:].isdigit() and int(name[4:]) < 256:
        return chr(int(name[4:]))
    if len(name) == 2 and name[0] in ACCENTS:
        return unicodedata.normalize("NFC", name[1] + ACCENTS[name[0]])
    return name if len(name) == 1 else ""


def arguments(line: str) -> list[str]:
    """The arguments of a macro: words, or texts in double quotes, in which two quotes stand for one."""
    return [
        quoted[1:].removesuffix('"').replace('""', '"') if quoted else bare
        for quoted, bare in _ARGUMENT.findall(uncommented(line))
    ]


_ARGUMENT = re.compile(r'("(?:[^"]|"")*"?)|((?:\\.|[^\s\\])+|\\$)')
