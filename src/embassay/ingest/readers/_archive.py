"""Zip containers, opened within limits: office documents and books are such.

Nothing is written to the disk: a name inside an archive is a key and never a path.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from embassay.ingest.base import ReadError

MAX_UNPACKED = 200_000_000
"""Bytes that an archive may unpack to, counted while unpacking: what it says of itself may be a lie."""
MAX_ENTRIES = 65_535
"""As many as the format had room for before its extension to 64 bits."""
ENCRYPTED = 0x1
"""The bit of an entry's flags which says that its content needs a password."""
ZIPPED = b"PK"
"""How a zip container begins."""
_PART = 1 << 20


class Archive:
    """The entries of a zip container by their names; what is unpacked counts towards one limit for all of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MAX_UNPACKED
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        if len(self._entries) > MAX_ENTRIES:
            raise ReadError(f"{len(self._entries):,} entries, the limit is {MAX_ENTRIES:,}")

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the archive."""
        return iter(self._entries)

    def read(self, name: str) -> bytes:
        """The content of an entry. Raises ReadError for one that is missing, encrypted, broken or too large."""
        entry = self._entries.get(name)
        if entry is None:
            raise ReadError(f"it has no part {name!r}")
        if entry.flag_bits & ENCRYPTED:
            raise ReadError("encrypted: it needs a password")
        content = bytearray()
        try:
            with self._archive.open(entry) as stream:
                while part := stream.read(_PART):
                    self._left -= len(part)
                    if self._left < 0:
                        raise ReadError(f"unpacks to more than {MAX_UNPACKED / 1e6:,.0f} MB: possibly a zip bomb")
                    content += part
        except ReadError:
            raise
        except Exception as error:  # zipfile lets zlib's, lzma's and its own errors through
            raise ReadError(f"its part {name!r} cannot be unpacked: {error}") from error
        return bytes(content)

    def check(self) -> None:
        """Unpack everything once, for a library that will unpack it again without a limit. Raises ReadError."""
        for name in self:
            self.read(name)
        self._left = MAX_UNPACKED


@contextmanager
def opened(data: bytes, what: str) -> Iterator[Archive]:
    """The archive that `data` is. Raises ReadError where it is none; `what` names what was expected, as "DOCX"."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # struct's, codecs' and more, where the directory of the archive is broken
        raise ReadError(f"not a readable {what}: {error}") from error
    with archive:
        yield Archive(archive)
