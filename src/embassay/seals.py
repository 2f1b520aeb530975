"""Seals: what ties the columns of a stored row together, so that one which was changed or exchanged is noticed.

A seal is no signature: whoever can write a file can write a seal as well. It is there for damage and for slips.
"""

from __future__ import annotations

from hashlib import blake2b


def seal(*columns: object) -> str:
    """16 hex digits that change with any column, its type, or the order of the columns."""
    digest = blake2b(digest_size=8)
    for column in columns:
        plain = column if isinstance(column, bytes) else repr(column).encode("utf-8", "backslashreplace")
        digest.update(len(plain).to_bytes(8, "little"))
        digest.update(plain)
    return digest.hexdigest()
