"""Bytes to text, whatever the encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import islice

from embassay.errors import NotText

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LEGACY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "iso8859_15"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "utf_16_le", "utf_16_be"),
]
"""Encodings that files still come in; the rarer ones of the same letters only win by accident."""
WESTERN = frozenset({"cp1250", "cp1257", "iso8859_15"})
"""Where one of these fits as well as cp1252, cp1252 is what people mean."""
SAMPLE = 1 << 16
"""Bytes that decide about an encoding: detection is far slower than decoding."""

AROUND = 80
"""ASCII bytes on either side of others that are part of the sample."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")


def looks_binary(head: bytes) -> bool:
    """As git decides it: a NUL byte near the start, unless a byte-order mark explains it."""
    return b"\0" in head[:8192] and not any(head.startswith(bom) for bom in BOMS)


def decode(data: bytes) -> str:
    """Text with ``\\n`` line ends and without NUL. Raises NotText for binary data."""
    if looks_binary(data):
        raise NotText("binary file")
    text = _decoded(data)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _decoded(data: bytes) -> str:
    encoding = next((name for bom, name in BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode(_guess(data), "replace")


def _guess(data: bytes) -> str:
    """The encoding that fits what surrounds the bytes that are not ASCII: UTF-8 if most of it is, else by letters."""
    sample = b" ".join(islice(_telling(data), 1000))[:SAMPLE]
    decoded = sample.decode("utf-8", "replace")
    broken = decoded.count("\ufffd")
    if sum(not c.isascii() for c in decoded) - broken > broken or len(sample) < 2:
        return "utf-8"
    from charset_normalizer import from_bytes

    found = list(from_bytes(sample, cp_isolation=LEGACY))
    if not found:
        return "cp1252"
    alike = [m for m in found if m.chaos <= found[0].chaos + 0.001]
    if found[0].encoding in WESTERN and any("cp1252" in (m.encoding, *m.could_be_from_charset) for m in alike):
        return "cp1252"
    return found[0].encoding


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
