"""The encoding of bytes that are no UTF-8: what chardet makes of them, held against where letters and signs stand."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from embassay.errors import ReadError

LEGACY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8-r"),
    *("koi8-u", "mac-roman", "mac-cyrillic", "cp437", "cp850", "cp852", "cp866", "iso8859-2", "iso8859-5", "iso8859-6"),
    *("iso8859-7", "iso8859-8", "iso8859-9", "cp932", "euc_jis_2004", "gb18030", "big5hkscs", "cp949", "johab"),
)
"""Encodings that files still come in, as chardet calls them; rarer ones of the same letters would win by accident."""
SEVEN_BIT = ("iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_ext", "iso2022_kr", "hz")
"""Encodings that write all their letters in ASCII, between escape sequences."""
SAMPLE = 1 << 16
"""Bytes that decide about an encoding: detection is far slower than decoding."""
AROUND = 80
"""ASCII bytes on either side of others that are part of the sample."""
MOST_ODD = 0.15
"""Share of letters and signs in places where none would stand, from which on data is no text; texts have 0.05."""
CENTRAL = ("cp1250", "iso8859-2", "cp1254", "cp1257")
"""Encodings of other languages with Latin letters."""
FEW = 6
"""So few bytes beyond ASCII say little of a language: where they make sense as cp1252, that is what people mean."""
CLOSE = 0.7
"""Share of the best candidate's confidence from which on another one is taken that makes more sense."""
WESTERN = ("cp1252", "mac-roman", "cp850")
"""Of encodings that make equal sense, these are what people mean, the first of them first."""
MIN_WIDE = 16
"""Bytes of UTF-16 without a mark that tell it from anything else."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_BEYOND_ASCII = bytes(range(128, 256))
_USUAL = (("\t", "\u0e80"), ("\u2000", "\u2070"), ("\u3000", "\ua000"), ("\uac00", "\ud7b0"), ("\uff00", "\ufff0"))
"""Where the letters and signs of most texts lie in Unicode."""
_PAUSES = " \n\u3000\u3001\u3002\uff0c\uff0e"
"""One of these is in every text of some length."""


def guessed(data: bytes) -> str:
    """The encoding of data without a mark: UTF-8 if most of it is, else what its letters look like.

    Raises ReadError if no encoding fits.
    """
    if data.isascii():
        return _seven_bit(data)
    sample = data if len(data) <= SAMPLE else b" ".join(islice(_telling(data), 1000))[:SAMPLE]
    told = sample.decode("utf-8", "replace")
    broken = told.count("\ufffd")
    if sum(not c.isascii() for c in told) - broken > broken or len(sample) < 2:
        return "utf-8"
    if (name := chinese_wide(sample)) is not None:
        return name
    import chardet

    few = beyond_ascii(sample) <= FEW
    western = next((name for name in WESTERN if _oddity(sample, name) == 0), None)
    found = chardet.detect_all(
        sample, include_encodings=(*LEGACY, "utf-8"), compat_names=False, no_match_encoding="utf-8"
    )
    sure = {str(one["encoding"]): float(one["confidence"]) for one in reversed(found) if one["encoding"] in LEGACY}
    odd = {name: _oddity(sample, name) for name in sure if _fits(sample, name)}
    central = [name for name in CENTRAL if odd.get(name) == 0 and sure[name] * CLOSE > sure.get(str(western), 0.0)]
    if western and few and not central:
        return western
    if not odd:
        raise ReadError("no encoding fits what it holds")
    most = max(sure[name] for name in odd)
    close = [name for name in odd if sure[name] >= CLOSE * most]
    name = min(close, key=lambda one: (odd[one], one not in WESTERN, -sure[one]))
    if odd[name] > MOST_ODD and not few:
        raise ReadError("no encoding fits what it holds")
    return western if western in sure and sure[western] >= CLOSE * most else name


def beyond_ascii(data: bytes) -> int:
    """How many bytes of `data` are above 127."""
    return len(data) - len(data.translate(None, _BEYOND_ASCII))


def _seven_bit(data: bytes) -> str:
    """Which encoding the escape sequences of ASCII data are of; UTF-8 where they make no sense."""
    if b"\x1b$)A" in data and b"\x0e" in data:
        return "iso2022_cn"
    import chardet

    shifted = re.search(rb"\x1b\$|~\{", data)
    if not shifted:
        return "utf-8"
    sample = data[max(0, shifted.start() - AROUND) :][:SAMPLE]
    found = chardet.detect(sample, include_encodings=SEVEN_BIT, compat_names=False, no_match_encoding="hz")
    name = found["encoding"]
    if name not in SEVEN_BIT:
        return "utf-8"
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return "utf-8"
    letters = [c for c in text if not c.isascii()]
    return name if letters and sum(map(str.isalpha, letters)) * 2 > len(letters) else "utf-8"


_OPENING, _CLOSING = (
    frozenset("\u201c\u2018\u201e\u201a\u00ab\u2039\u00bf\u00a1"),
    frozenset("\u201d\u00bb\u203a\u2026\u2122\u00ae"),
)
_JOINING = frozenset("\u2019")
"""Signs that stand before a word, behind one, and inside."""
_FREE = frozenset("\u00a9\u00ae\u2122\u00b0\u00aa\u00ba")
"""Symbols that may stand right behind a word."""
_COMMON = frozenset("äöüßéèêëàâçîïôûùñáíóúãõåæøœìòÄÖÜÉÈÊÀÂÇÎÔÑÁÍÓÚÃÕÅÆØŒ\u00aa\u00ba")
"""Letters beyond ASCII of the languages that are written in WESTERN encodings."""


def _oddity(sample: bytes, encoding: str) -> float:
    """Which share of the letters and signs beyond ASCII stand where none would, if `sample` is of this encoding.

    Signs stand beside words and not inside, capitals do not follow small letters, and few letters of a language that is
    written in ASCII for the most part are others. 1 for what cannot be decoded.
    """
    try:
        text = f" {sample.decode(encoding)} "
    except UnicodeDecodeError:
        return 1.0
    beyond = [(at, sign) for at, sign in enumerate(text) if not sign.isascii()]
    odd = sum(_is_odd(text[at - 1], sign, text[at + 1]) for at, sign in beyond)
    if encoding in WESTERN:
        letters = [sign for _, sign in beyond if sign.isalpha()]
        odd += sum(sign not in _COMMON for sign in letters)
        odd += len(letters) if len(letters) * 3 > sum(map(str.isalpha, text)) else 0
    return odd / max(1, len(beyond))


def _is_odd(before: str, sign: str, after: str) -> bool:
    """Whether a letter or sign stands where none would."""
    kind = unicodedata.category(sign)
    if "\u0370" <= sign < "\u1e00" and kind[0] == "L" and (_is_latin(before) or _is_latin(after)):
        return True
    if kind[0] == "L" or sign in _JOINING:
        return kind == "Lu" and before.islower()
    if kind == "Cc" or "\u2500" <= sign < "\u25a0" or sign == "\xad":
        return True
    if sign in _OPENING or (kind[0] in "SN" and sign not in _FREE):
        return before.isalpha()
    return (sign in _CLOSING or before.isalpha()) and after.isalpha() and kind[0] != "M"


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalpha()


def _fits(sample: bytes, encoding: str) -> bool:
    """Whether `sample` can be decoded, but for a character that is cut at its end."""
    return sample.decode(encoding, "replace").count("\ufffd") <= len(sample) // 1000


def chinese_wide(sample: bytes) -> str | None:
    """UTF-16 that holds no NUL, as Chinese has none; its punctuation tells it from other encodings of two bytes."""
    if len(sample) < MIN_WIDE or len(sample) % 2:
        return None
    return next((name for name in ("utf-16-le", "utf-16-be") if is_wide_prose(sample, name)), None)


def is_wide_prose(data: bytes, encoding: str) -> bool:
    """Whether `data` makes sense in this wide encoding: it holds letters, and next to nothing that no text holds."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    if not text:
        return False
    kinds = [unicodedata.category(sign) for sign in text]
    controls = sum(kind == "Cc" for kind in kinds) - sum(map(text.count, "\t\n\r\f"))
    strange = controls + sum(kind in ("Cn", "Co", "Cs") for kind in kinds)
    usual = sum(any(first <= sign < end for first, end in _USUAL) for sign in text)
    letters = sum(kind[0] == "L" for kind in kinds)
    if len(text) >= MIN_WIDE // 2 and not any(sign in text for sign in _PAUSES):
        return False
    return strange <= len(text) // 100 and usual >= 0.98 * len(text) and 2 * letters >= len(text)


def _telling(data: bytes) -> Iterator[bytes]:
    """The bytes that are not ASCII, with the ASCII around them."""
    end = 0
    for found in _NOT_ASCII.finditer(data):
        if found.start() < end:
            continue
        start = max(end, found.start() - AROUND)
        end = min(len(data), found.end() + AROUND)
        following = _NOT_ASCII.search(data, found.end(), end)
        end = following.start() if following else end
        yield data[start:end]
