"""Bytes to text, whatever the encoding: by its marks, as UTF-8, or as the encoding that the bytes look most like."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from embassay.errors import NotText, ReadError
from embassay.ingest.encodings import chinese_wide, guessed, is_wide_prose

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
_SHIFTS = (b"\x1b$", b"~{", b"\x0e")
"""What ASCII has in it where its letters stand for those of Japanese, Korean or Chinese."""
_CHINESE_7 = re.compile(rb"\x0e([^\x0f\r\n]*)\x0f?")
_MAGIC = (
    *(
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"BZh",
        b"\xfd7zXZ\0",
        b"7z\xbc\xaf",
        b"Rar!\x1a",
    ),
    *(
        b"\x7fELF",
        b"\xca\xfe\xba\xbe",
        b"\xcf\xfa\xed\xfe",
        b"OggS",
        b"ID3",
        b"fLaC",
        b"II*\0",
        b"MM\0*",
        b"\0asm",
        b"%PDF-",
    ),
    *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"SQLite format 3\0", b"wOFF", b"wOF2", b"\x28\xb5\x2f\xfd", b"{\\rtf"),
)
"""How files begin that are no plain text, whatever their names say."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and how it was made."""

    text: str
    encoding: str
    replaced: int = 0
    """Characters that could not be decoded and became U+FFFD."""

    @property
    def loss(self) -> str:
        """What could not be decoded, for a person."""
        line = self.text.count("\n", 0, max(0, self.text.find("\ufffd"))) + 1
        return f"{self.replaced:,} characters could not be read as {self.encoding}, the first in line {line:,}"


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
    """The text of `decoded`. Raises NotText for binary data, and ReadError where no encoding fits."""
    return decoded(data).text


def decoded(data: bytes) -> Decoded:
    """Text with ``\\n`` line ends and without NUL.

    Raises NotText for binary data, and ReadError where no encoding fits. Where most of the data is of one encoding,
    what is not becomes U+FFFD, and `Decoded.replaced` counts that.
    """
    if looks_binary(data):
        raise NotText("binary file")
    encoding = wide_encoding(data) or "utf-8"
    try:
        text, replaced = data.decode(encoding), 0
    except UnicodeDecodeError:
        encoding = encoding if encoding != "utf-8" else guessed(data)
        text, replaced = _decoded(data, encoding)
    else:
        if encoding == "utf-8" and any(shift in data for shift in _SHIFTS) and data.isascii():
            encoding = guessed(data)
            text, replaced = _decoded(data, encoding)
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), encoding, replaced)


def _decoded(data: bytes, encoding: str) -> tuple[str, int]:
    """The text, and how many characters of it could not be decoded. Raises ReadError for too many."""
    if encoding == "iso2022_cn":
        return _chinese(data), 0
    try:
        return data.decode(encoding), 0
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
    replaced = text.count("\ufffd")
    if replaced > MOST_BROKEN * len(text) and encoding != "utf-8":
        raise ReadError(f"no encoding fits what it holds: {replaced:,} characters of it are not {encoding}")
    return text, replaced


def _chinese(data: bytes) -> str:
    """ISO-2022-CN (RFC 1922) with GB 2312, which Python has no codec for: EUC-CN without the eighth bit."""
    shifted = _CHINESE_7.sub(lambda found: bytes(byte | 0x80 for byte in found[1]), data.replace(b"\x1b$)A", b""))
    try:
        return shifted.decode("gb2312")
    except UnicodeDecodeError as error:
        raise ReadError(f"it is ISO-2022-CN, but for byte {error.start:,}") from None
