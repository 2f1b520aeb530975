"""Hashes of queries with the salt of the home, so that equal queries stay equal and are not known elsewhere."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from secrets import token_bytes

from embassay.sets.log.entry import Form

BYTES = 16
OF_NUMBER = 8
"""Bytes of the hash that make the number."""


class QueryHashes:
    """Those of one transaction, which makes the salt where there is none."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._salt = b""

    def of(self, query: str) -> str:
        """The hash as the log stores it in the place of the text."""
        return self._digest(query).hex()

    def number(self, stored: str, form: Form) -> int:
        """The same for what the log stores, text or hash, as a number, for which SQLite needs less room.

        Raises ValueError for a hash that is none.
        """
        digest = bytes.fromhex(stored) if form == "hashed" else self._digest(stored)
        return int.from_bytes(digest[:OF_NUMBER], "big", signed=True)

    def _digest(self, query: str) -> bytes:
        if not self._salt:
            self._db.execute("INSERT OR IGNORE INTO query_salt VALUES (1, ?)", (token_bytes(32),))
            (salt,) = self._db.execute("SELECT salt FROM query_salt").fetchone()
            self._salt = bytes(salt)
        return blake2b(query.encode("utf-8", "replace"), key=self._salt, digest_size=BYTES).digest()
