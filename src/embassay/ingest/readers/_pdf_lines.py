"""The text of a PDF's pages as people write it: letters for ligatures, and words whole that a line's end had cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)
TEX = {"\x0b": "ff", "\x0c": "fi", "\r": "fl", "\x0e": "ffi", "\x0f": "ffl"} | dict(
    zip("\x1b\x1c\x1d\x1e\x1f", ("ff", "fi", "fl", "ffi", "ffl"), strict=True)
)
"""The codes of ligatures in the fonts of TeX (encodings OT1 and T1), which are seen where a font does not name them."""
CONJUNCTIONS = frozenset("and or und oder bzw sowie bis et ou y o e ed to en of och eller og".split())
"""Words behind a hyphen that stands for the rest of a word, as in "first- and second-rate"."""
WHOLE = 4
"""Letters of a word that may be a half of a compound, such as "long-term"."""
GARBLED = 0.1
"""Share of a page's letters that are none, from where on the page is not text."""
_TEX = re.compile(
    r"(?<=[A-Za-z])[\x0b-\x0f\x1b-\x1f](?=[a-z])|(?<![^\s(])[\x0b-\x0f\x1b-\x1f](?=[a-z])|(?<=[a-z])[\x0b\x0c\x0e\x0f\x1b-\x1f]"
)
_NO_LETTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_GLYPHS = re.compile(r"(?:/[A-Za-z]{1,6}\d{1,5}){4,}")
"""Names of glyphs that nobody knows, in the place of letters."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CUT = re.compile(r"([^\W\d_]+)([-\u2010\u00ad])$")
_HALVES = re.compile(r"[^\W\d_]+[-\u2010\u00ad][ \t]*\n[ \t]*[^\W\d_]+")
_REST = re.compile(r"([^\W_]+)(\S*)\s?")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def is_garbled(text: str) -> bool:
    """Whether the fonts of a page do not say which letters it shows."""
    strange = len(_NO_LETTER.findall(text)) + sum(len(found[0]) for found in _GLYPHS.finditer(text))
    return strange > 3 and strange > GARBLED * len("".join(text.split()))


def letters(text: str) -> str:
    """With letters in the place of ligatures, and without control characters."""
    return _CONTROL.sub("", _TEX.sub(lambda found: TEX[found[0]], text)).translate(LIGATURES)


def rejoined(pages: Sequence[str]) -> list[str]:
    """The pages with words whole again that were cut at the ends of their lines.

    The whole word then stands in the line where it begins. A hyphen is kept where it belongs to the word, as far as the
    other words of the document tell.
    """
    known = {word.lower() for page in pages for word in _WORD.findall(_HALVES.sub(" ", page))}
    out = ["\n".join(_joined(page.split("\n"), known)) for page in pages]
    for at in range(len(out) - 1):
        out[at : at + 2] = _over(out[at], out[at + 1], known)
    return out


def _over(page: str, following: str, known: set[str]) -> tuple[str, str]:
    """Two pages, with the word whole that the end of the first one cuts, if no line stands below it there."""
    above, end = page.rstrip().rpartition("\n")[::2]
    begin, line_end, below = following.lstrip().partition("\n")
    whole = _whole(end, begin, known) if begin[:1].islower() else None
    if whole is None:
        return page, following
    return f"{above}\n{whole[0]}".lstrip("\n") + "\n", whole[1] + line_end + below


def _joined(lines: Iterable[str], known: set[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        rest = line
        if out and (whole := _whole(out[-1].rstrip(), line.lstrip(), known)):
            out[-1], rest = whole
        if rest or rest is line:
            out.append(rest)
    return [line.replace("\u00ad", "") for line in out]


def _whole(above: str, below: str, known: set[str]) -> tuple[str, str] | None:
    """The two lines with the word whole that the first one cuts; None where it cuts none."""
    cut, rest = _CUT.search(above), _REST.match(below)
    if cut is None or rest is None or not _goes_on(cut, rest[1]):
        return None
    before, after = above[: cut.start(2)], below[rest.end() :]
    hyphen = "-" if cut[2] != "\u00ad" and _keeps_hyphen(before, cut[1], rest[1], known) else ""
    return before + hyphen + rest[1] + rest[2], after


def _goes_on(cut: re.Match[str], rest: str) -> bool:
    """Whether a line that begins with `rest` goes on with the word that was cut."""
    if cut[2] == "\u00ad":
        return True
    return rest.lower() not in CONJUNCTIONS and (rest[0].islower() or rest[0].isupper() or rest[0].isdigit())


def _keeps_hyphen(before: str, left: str, right: str, known: set[str]) -> bool:
    head, tail = left.lower(), right.lower()
    token = before.rsplit(None, 1)[-1]
    if len(left) == 1 or (not right[0].islower() and not (left.isupper() and right.isupper())):
        return True  # e-mail, Jean-Paul, COVID-19
    if left.isupper() and right.islower():
        return True  # US-based
    if len(token) > len(left) and token[-len(left) - 1] in "-/@._=":
        return True  # state-of-the-art, addresses
    if head + tail in known:
        return False
    return f"{head}-{tail}" in known or (min(len(head), len(tail)) >= WHOLE and {head, tail} <= known)
