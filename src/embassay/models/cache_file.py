"""How a cache of ours is told from any other file, before anything is done to it."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

APPLICATION = 0x656D6279
"""What SQLite calls the application id of a file: ``emby``."""
TABLES = frozenset({"vectors", "cuts", "counters"})
COLUMNS = frozenset({"key", "vector", "tokens", "made", "used"})
"""Tables of every format, and columns of the vectors."""


def is_cache(file: Path, *, or_empty: bool = False) -> bool:
    """Whether a file is a cache of ours, damaged or not; a link is none. `or_empty`: one that was only just begun too.

    Files of before the application id are known by their tables. Only SQLite opens the file: closing a descriptor of
    anybody else's would take the locks from this process's other connections to it. Raises OSError, and sqlite3.Error
    where a file cannot be opened.
    """
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        return False
    if not found.st_size:
        return or_empty
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True, timeout=60)) as db:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            if application:
                return bool(application == APPLICATION)
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = {row[1] for row in db.execute("PRAGMA table_info(vectors)")}
            return tables >= TABLES and columns >= COLUMNS
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
