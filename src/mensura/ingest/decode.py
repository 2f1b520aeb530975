"""Bytes to text, whatever the encoding."""

from __future__ import annotations

import codecs

from mensura.errors import ReadError

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
SAMPLE = 1 << 16
"""Bytes that decide about an encoding: detection is far slower than decoding."""


def looks_binary(head: bytes) -> bool:
    """As git decides it: a NUL byte near the start, unless a byte-order mark explains it."""
    return b"\0" in head[:8192] and not any(head.startswith(bom) for bom in BOMS)


def decode(data: bytes) -> str:
    """Text with ``\\n`` line ends and without NUL. Raises ReadError for binary data."""
    if looks_binary(data):
        raise ReadError("binary file")
    text = _decoded(data)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _decoded(data: bytes) -> str:
    encoding = next((name for bom, name in BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode(_guess(data), "replace")


def _guess(data: bytes) -> str:
    """A mostly valid UTF-8 file stays UTF-8; else what the statistics of its letters say."""
    broken = data[:SAMPLE].decode("utf-8", "replace").count("\ufffd")
    if broken * 1000 < min(len(data), SAMPLE):
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(data[:SAMPLE], cp_isolation=LEGACY).best()
    return best.encoding if best else "cp1252"
