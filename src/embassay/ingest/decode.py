"""Bytes to text, whatever the encoding: by its marks, as UTF-8, or as the encoding that the bytes look most like."""

from __future__ import annotations

import codecs
import re

from embassay.errors import NotText, ReadError
from embassay.ingest.encodings import beyond_ascii, chinese_wide, guessed, is_wide_prose

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
HEAD = 8192
"""Bytes in which a NUL makes a file binary, as in git."""
MOST_BROKEN = 0.01
"""Share of characters that may be undecodable in a file that is read all the same."""
MOST_CONTROLS = 0.05
"""Share of control characters that a text may have; coloured logs and screens of terminals have some."""
FEW_CONTROLS = 8
"""So many are no matter of shares."""
_CONTROLS = bytes({*range(32), 127} - {*b"\b\t\n\v\f\r\x0e\x0f\x1b"})
_SHIFTS = (b"\x1b", b"\x0e", b"~{")
"""What ASCII has in it where its letters stand for those of Japanese, Korean or Chinese."""
_CHINESE_7 = re.compile(rb"\x0e([^\x0f\r\n]*)\x0f?")
_MAGIC = tuple(
    bytes.fromhex(mark)
    for mark in (
        "89504e47 ffd8ff 47494638 49492a00 4d4d002a "  # PNG, JPEG, GIF, TIFF
        "504b0304 1f8b 425a68 fd377a585a00 377abcaf 526172211a 28b52ffd "  # zip, gzip, bzip2, xz, 7z, RAR, Zstandard
        "7f454c46 cafebabe cffaedfe 0061736d "  # programs: ELF, Java and Mach-O, WebAssembly
        "4f676753 494433 664c6143 "  # Ogg, MP3, FLAC
        "255044462d d0cf11e0a1b11ae1 53514c69746520666f726d6174203300 774f4646 774f4632"  # PDF, OLE, SQLite, WOFF
    ).split()
)
"""How files begin that are no plain text, whatever their names say."""


def looks_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text.

    It has a known mark, as in git a NUL that no UTF-16 explains, or many other control characters.
    """
    head = head[:HEAD]
    if head.startswith(_MAGIC) or (b"\0" in head and wide_encoding(head) is None):
        return True
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if b"\0" in head or controls <= max(FEW_CONTROLS, MOST_CONTROLS * len(head)):
        return False
    return chinese_wide(head) is None


def marked_encoding(head: bytes) -> str | None:
    """The encoding that a byte-order mark tells."""
    return next((name for bom, name in BOMS.items() if head.startswith(bom)), None)


def wide_encoding(head: bytes) -> str | None:
    """The encoding of a file that begins so, if its mark or its NULs tell: UTF-8 with a mark, UTF-16 or UTF-32."""
    marked = marked_encoding(head)
    if marked is not None or b"\0" not in head[:HEAD]:
        return marked
    start = head[: HEAD // 4 * 4]
    for name, wide in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        if (len(head) >= HEAD or len(head) % wide == 0) and is_wide_prose(start[: len(start) // wide * wide], name):
            return name
    return None


def decode(data: bytes) -> str:
    """Text with ``\\n`` line ends and without NUL.

    Raises NotText for binary data, and ReadError where no encoding fits. Where nearly all data is of one encoding, what
    is not becomes U+FFFD.
    """
    if looks_binary(data):
        raise NotText("binary file")
    encoding = wide_encoding(data) or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = _decoded(data, _guessed(data) if encoding == "utf-8" else encoding)
    else:
        if encoding == "utf-8" and any(shift in data for shift in _SHIFTS) and data.isascii():
            text = _decoded(data, guessed(data))
    return with_line_ends(text)


def with_line_ends(text: str) -> str:
    """The text as readers hand it on: every line ends with ``\\n``, and there is no NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _guessed(data: bytes) -> str:
    """What `guessed` says; UTF-8 where nothing fits the few bytes beyond ASCII, as in a text by many hands.

    Raises ReadError for many such bytes.
    """
    try:
        return guessed(data)
    except ReadError:
        if beyond_ascii(data) > MOST_BROKEN * len(data):
            raise
        return "utf-8"


def _decoded(data: bytes, encoding: str) -> str:
    """The text, with U+FFFD in the place of what cannot be decoded. Raises ReadError for much of that."""
    if encoding == "iso2022_cn":
        return _chinese(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    if broken > MOST_BROKEN * len(text) and encoding != "utf-8":
        raise ReadError(f"no encoding fits what it holds: {broken:,} characters of it are not {encoding}")
    return text


def _chinese(data: bytes) -> str:
    """ISO-2022-CN (RFC 1922) with GB 2312, which Python has no codec for: EUC-CN without the eighth bit."""
    shifted = _CHINESE_7.sub(lambda found: bytes(byte | 0x80 for byte in found[1]), data.replace(b"\x1b$)A", b""))
    try:
        return shifted.decode("gb2312")
    except UnicodeDecodeError as error:
        raise ReadError(f"it is ISO-2022-CN, but for byte {error.start:,}") from None
