"""Files that were packed with gzip, as ``notes.md.gz`` or ``log.1.gz``: the reader of the name inside reads them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from embassay.errors import NotText
from embassay.ingest.base import Read, ReadError, SourceFile
from embassay.ingest.read import reader_of

SUFFIXES = frozenset({".gz"})
MAX_UNPACKED = 64_000_000
"""Bytes."""
NO_READER = frozenset({".gz", ".tar", ".tgz", ".zip"})
"""Archives, whose files would have to be known by a name of their own."""
MAGIC = b"\x1f\x8b"
"""How each of the packed files begins, of which one file may hold several, one behind the other."""
_PART = 1 << 16


def read(source: SourceFile) -> Iterator[Read]:
    from embassay.ingest.walk import NOT_DOCUMENTS  # which brings what the process that reads does not need

    name = source.file.with_suffix("")
    suffix = name.suffix.lower()
    if suffix in NO_READER:
        raise NotText(f"an archive ({suffix[1:]}): unpack it first")
    if suffix in NOT_DOCUMENTS:
        raise NotText("not a document")
    content, fault = _unpacked(source.data)
    if not content and fault is not None:
        raise fault
    yield from reader_of(suffix).read(SourceFile(name, source.id, content))
    if fault is not None:
        yield fault


def _unpacked(data: bytes) -> tuple[bytes, ReadError | None]:
    """What can be unpacked, and why the rest cannot. Raises ReadError for more than `MAX_UNPACKED` bytes."""
    content = bytearray()
    at = 0
    while at == 0 or data.startswith(MAGIC, at):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            while at < len(data) and not unpacker.eof:
                part = data[at : at + _PART]
                at += len(part)
                while part and not unpacker.eof:
                    content += unpacker.decompress(part, MAX_UNPACKED + 1 - len(content))
                    if len(content) > MAX_UNPACKED:
                        raise ReadError(f"unpacks to more than {MAX_UNPACKED / 1e6:,.0f} MB")
                    part = unpacker.unconsumed_tail
        except zlib.error as error:
            return bytes(content), ReadError(f"cannot be unpacked to its end: {error}")
        if not unpacker.eof:
            return bytes(content), ReadError("cannot be unpacked to its end: it is cut off")
        at -= len(unpacker.unused_data)
    return bytes(content), None
