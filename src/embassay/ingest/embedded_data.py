"""Takes out of a text what stands in it for machines alone: pictures and files in base64, and codes for terminals.

Line ends stay, so that what is left keeps its lines.
"""

from __future__ import annotations

import re

LONG_URI = 100
"""Characters from which on a ``data:`` address that is not base64 is taken out: shorter ones are examples."""
LONG_TOKEN = 400
"""Characters of base64 without a break that are no word, no path and no key that anybody looks for."""
LONG_LINE = 60
"""Characters of a line of wrapped base64: MIME has 76, PEM 64."""
HALF = 30
"""Characters without a space, behind as many others, that no line of prose has; looking for them is quick."""
MANY_LINES = 6
"""So many such lines in a row are a file, and no listing of digests."""
_URI = re.compile(
    r"(data:[a-zA-Z0-9.+-]{1,80}/[a-zA-Z0-9.+-]{1,80})"
    r"(?:;[a-zA-Z0-9=.-]{1,80}){0,5}+"
    r"(;base64)?,"
    r"""((?:[^\s"'<>()\[\]]|\n[ \t]{0,16}(?=[A-Za-z0-9+/]{40}))*+)"""
)
_TOKEN = re.compile(rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{LONG_TOKEN},}}+={{0,2}}")
_LINES = re.compile(
    rf"^(?:[ \t>]{{0,16}}[A-Za-z0-9+/]{{{LONG_LINE},}}+\n){{{MANY_LINES},}}+"
    r"(?:[ \t>]{0,16}[A-Za-z0-9+/]{1,200}={0,2}$)?",
    re.MULTILINE,
)

_CODES = re.compile(r"\x1b\[[0-9;:?]{0,40}[A-Za-z]|\x1b\][^\x07\x1b\n]{0,400}(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]")
"""What a terminal shows as colours, places and titles (ECMA-48). It stands right before words, as if it were theirs."""


def without_terminal_codes(text: str) -> str:
    """`text` as a terminal shows it, without the codes that it obeys."""
    return _CODES.sub("", text) if "\x1b" in text else text


def without_embedded_data(text: str) -> str:
    """`text` without base64: ``data:`` addresses keep their type, so that a picture is still seen to be one."""
    if len(text) < LONG_LINE and "data:" not in text:
        return text
    if "data:" in text:
        text = _URI.sub(_type_of_uri, text)
    lines = text.split("\n")
    if (
        sum(len(line) >= LONG_LINE and " " not in line[HALF:LONG_LINE] and _is_one_word(line) for line in lines)
        >= MANY_LINES
    ):
        text = _LINES.sub(_line_ends, text)
    if any(len(word) >= LONG_TOKEN for line in lines if len(line) >= LONG_TOKEN for word in line.split()):
        text = _TOKEN.sub(_no_token, text)
    return text


def _is_one_word(line: str) -> bool:
    return line.strip(" \t>").replace("/", "").replace("+", "").isalnum()


def _type_of_uri(found: re.Match[str]) -> str:
    if not found[2] and len(found[3]) < LONG_URI:
        return found[0]
    return found[1] + "\n" * found[3].count("\n")


def _line_ends(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n") if _is_encoded(found[0]) else found[0]


def _no_token(found: re.Match[str]) -> str:
    return "" if _is_encoded(found[0]) else found[0]


def _is_encoded(text: str) -> bool:
    """Whether capitals, small letters and digits are mixed, as in base64, and unlike in rules, genomes and names."""
    shares = [sum(map(test, text)) / len(text) for test in (str.isupper, str.islower, str.isdigit)]
    return min(shares[:2]) > 0.15 and shares[2] > 0.04
