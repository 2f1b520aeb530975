"""What a page or a mail says of its encoding, taken as browsers take it (WHATWG Encoding Standard)."""

from __future__ import annotations

import codecs
import re

from embassay.ingest.decode import BOMS, decode, with_line_ends
from embassay.ingest.encodings import beyond_ascii

SUPERSETS = {
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso8859_8",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
}
"""Names of the standard that Python has under another name, or in a version with fewer characters."""
MULTIBYTE = frozenset({"big5hkscs", "cp949", "gb18030", "cp932", "euc-jp"})
"""Encodings in which two or three characters may be valid UTF-8 by accident."""
NOTHING = frozenset({"us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "default", "binary", "8bit"})
"""Labels that say nothing of bytes above 127."""
NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
"""Codecs of Python that are no encodings of a text."""
FEW, ACCIDENTS = 0.01, 20
"""Share of the bytes above 127 that may be wrong for a label, and how many of them are no accident in UTF-8."""

HEAD = 4_096
"""Bytes in which a page may name its encoding."""
_META = re.compile(rb"""<meta[^>]*[\s;"']charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_PROLOGUE = re.compile(rb"""\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)""")
_WIDE = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""How a page in UTF-16 begins that has no byte-order mark."""


def decoded_page(data: bytes) -> str:
    """A page in the encoding that it names, if its bytes bear that out; else in the one that they look like.

    Raises NotText and ReadError as `decode` does.
    """
    head = data[:HEAD]
    if codec := _WIDE.get(head[:2]):
        return with_line_ends(data.decode(codec, "replace"))
    found = _PROLOGUE.match(head) or _META.search(head)
    text = declared(data, found[1].decode("ascii", "replace"), in_markup=True) if found else None
    return decode(data) if text is None else text


def declared(data: bytes, label: str, *, in_markup: bool = False) -> str | None:
    """The text in the encoding that `label` names; None where it names none, or the bytes say otherwise.

    A byte-order mark says otherwise, too. Valid UTF-8 is UTF-8, whatever the label says. Lines end with ``\\n``, and
    there is no NUL, as from `decode`. `in_markup`: the label was read as ASCII out of the text itself, so that it
    cannot mean UTF-16; without any NUL, the text is not in UTF-16 either.
    """
    label = label.strip().strip("\"'").lower()
    codec = _codec(label)
    if codec is None or label in NOTHING or data.startswith(tuple(BOMS)):
        return None
    if codec.startswith(("utf-16", "utf-32")) and (in_markup or b"\0" not in data):
        codec = "utf-8"
    text = _decoded(data, codec)
    return None if text is None else with_line_ends(text)


def _decoded(data: bytes, codec: str) -> str | None:
    foreign = beyond_ascii(data)
    if not codec.startswith("utf-") and foreign > (ACCIDENTS if codec in MULTIBYTE else 0):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    text = data.decode(codec, "replace")
    return text if text.count("\ufffd") <= FEW * foreign else None


def _codec(label: str) -> str | None:
    """The codec of Python for a label. Browsers read ``iso-8859-1`` as windows-1252, and know 200 more such names."""
    import webencodings

    found = webencodings.lookup(label)
    if found is not None and found.name not in ("replacement", "x-user-defined"):
        return SUPERSETS.get(str(found.name), str(found.name))
    try:
        known = codecs.lookup(label)
        b"a".decode(known.name, "replace")  # refuses what turns bytes into bytes
    except (LookupError, UnicodeError, ValueError):
        return None
    return None if known.name.replace("-", "_") in NO_CHARSETS else known.name
