"""The schema of `state.db` as ordered steps, and how a file of an earlier format is moved forward.

A step is one transaction, so that a process which dies in the middle of it leaves the file as it was. Before the
first step a copy of the file is made beside it. A file on a disk that cannot be written is moved forward in memory.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from embassay import jsontext
from embassay.errors import HomeTooNew
from embassay.files import write_new
from embassay.seals import seal
from embassay.sets.log.marking import mark_logged
from embassay.sets.log.schema import CREATE, TABLES
from embassay.sets.migration.schema import CALIBRATIONS, COARSE, FUSIONS, PROGRESS, PROJECTIONS, RETRY_AT, RULES, TITLES
from embassay.sets.migration.schema import CREATE as MIGRATIONS
from embassay.sets.monitoring.schema import CREATE as MONITORING
from embassay.sets.trials.schema import CREATE as TRIALS
from embassay.sets.views.schema import CREATE as VIEWS
from embassay.sqlite import each_statement, transaction


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """Moves a file from the version before to `version`; runs inside of a transaction."""

    version: int
    apply: Callable[[sqlite3.Connection], None]


def _sets_and_sources(db: sqlite3.Connection) -> None:
    each_statement(
        db,
        """
        CREATE TABLE generations (
            id INTEGER PRIMARY KEY,
            set_name TEXT NOT NULL,
            store TEXT NOT NULL,
            name TEXT NOT NULL UNIQUE,
            space TEXT NOT NULL,
            model TEXT NOT NULL,
            precision TEXT NOT NULL,
            settings TEXT NOT NULL,
            created TEXT NOT NULL
        );
        CREATE TABLE sets (
            name TEXT PRIMARY KEY,
            live INTEGER NOT NULL REFERENCES generations (id)
        ) WITHOUT ROWID;
        CREATE TABLE sources (
            generation INTEGER NOT NULL REFERENCES generations (id),
            path TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            digest TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('ok', 'pending', 'failed')),
            reason TEXT NOT NULL DEFAULT '',
            documents INTEGER NOT NULL DEFAULT 0,
            chunks INTEGER NOT NULL DEFAULT 0,
            truncated INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (generation, path)
        ) WITHOUT ROWID;
        """,
    )


CHUNK_TOKENS_OF_FORMAT_1 = 512
"""What a set of format 1 without a number of its own was cut to; the model's limit bounded it further."""


def _specs_generations_and_jobs(db: sqlite3.Connection) -> None:
    """A generation says in full what it was made with; a set may have a previous and a building generation."""
    each_statement(
        db,
        """
        CREATE TABLE generations_with_specs (
            id INTEGER PRIMARY KEY,
            set_name TEXT NOT NULL,
            name TEXT NOT NULL UNIQUE,
            space TEXT NOT NULL,
            spec TEXT NOT NULL,
            created TEXT NOT NULL
        );
        """,
    )
    old = db.execute("SELECT id, set_name, store, name, space, model, precision, settings, created FROM generations")
    for identity, set_name, store, name, space, model, precision, settings, created in old.fetchall():
        spec = {
            "model": model,
            "precision": precision,
            "chunk_tokens": jsontext.loads(settings).get("chunk_tokens") or CHUNK_TOKENS_OF_FORMAT_1,
            "language": "en",
            "store": store,
            "rules": 1,
        }
        values = (identity, set_name, name, space, jsontext.dumps(spec, ascii_only=True), created)
        db.execute("INSERT INTO generations_with_specs VALUES (?, ?, ?, ?, ?, ?)", values)
    each_statement(
        db,
        """
        DROP TABLE generations;
        ALTER TABLE generations_with_specs RENAME TO generations;
        ALTER TABLE sets ADD COLUMN previous INTEGER REFERENCES generations (id);
        ALTER TABLE sets ADD COLUMN building INTEGER REFERENCES generations (id);
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            generation INTEGER NOT NULL REFERENCES generations (id),
            state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
            process TEXT NOT NULL,
            started REAL NOT NULL,
            heartbeat REAL NOT NULL,
            detail TEXT NOT NULL DEFAULT ''
        );
        CREATE INDEX jobs_of_generation ON jobs (generation, id);
        """,
    )


def _identities_and_canaries(db: sqlite3.Connection) -> None:
    """A generation is sealed, and keeps where its model put the canary texts; proofs of equal spaces are dated.

    The space of a generation that is there already has no tokenizer, settings or limit yet: `identity` 1 says so.
    """
    each_statement(
        db,
        """
        ALTER TABLE generations ADD COLUMN identity INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE generations ADD COLUMN seal TEXT NOT NULL DEFAULT '';
        CREATE TABLE canaries (
            generation INTEGER NOT NULL REFERENCES generations (id),
            role TEXT NOT NULL CHECK (role IN ('query', 'document')),
            own BLOB NOT NULL,
            made BLOB NOT NULL,
            seal TEXT NOT NULL,
            PRIMARY KEY (generation, role)
        ) WITHOUT ROWID;
        CREATE TABLE proofs (
            generation INTEGER NOT NULL REFERENCES generations (id),
            model TEXT NOT NULL,
            space TEXT NOT NULL,
            cosine REAL NOT NULL,
            made TEXT NOT NULL,
            PRIMARY KEY (generation, model, space)
        ) WITHOUT ROWID;
        """,
    )
    rows = db.execute("SELECT id, set_name, name, space, spec, identity FROM generations").fetchall()
    for identity, *columns in rows:
        db.execute("UPDATE generations SET seal = ? WHERE id = ?", (seal(identity, *columns), identity))


def _what_was_left_out(db: sqlite3.Connection) -> None:
    """A file may be skipped, and keeps which reader looked at it, the characters read of it, and what was left out."""
    each_statement(
        db,
        """
        CREATE TABLE sources_with_losses (
            generation INTEGER NOT NULL REFERENCES generations (id),
            path TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            digest TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('ok', 'pending', 'failed', 'skipped')),
            reason TEXT NOT NULL DEFAULT '',
            documents INTEGER NOT NULL DEFAULT 0,
            chunks INTEGER NOT NULL DEFAULT 0,
            truncated INTEGER NOT NULL DEFAULT 0,
            reader TEXT NOT NULL DEFAULT '',
            chars INTEGER NOT NULL DEFAULT 0,
            left_out TEXT NOT NULL DEFAULT '',
            left_chars INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (generation, path)
        ) WITHOUT ROWID;
        INSERT INTO sources_with_losses
            (generation, path, size, mtime_ns, digest, state, reason, documents, chunks, truncated)
            SELECT generation, path, size, mtime_ns, digest, state, reason, documents, chunks, truncated FROM sources;
        DROP TABLE sources;
        ALTER TABLE sources_with_losses RENAME TO sources;
        """,
    )
    _seal_anew(db)


def _seal_anew(db: sqlite3.Connection) -> None:
    """Put today's seal in the place of the one that format 3 was first written with.

    A row whose seal is of neither kind was changed by hand. It keeps its seal, so that whoever reads it is told.
    """
    generations = "SELECT id, set_name, name, space, spec, identity, seal FROM generations"
    for *columns, sealed in db.execute(generations).fetchall():
        if sealed == _first_seal(*columns):
            db.execute("UPDATE generations SET seal = ? WHERE id = ?", (seal(*columns), columns[0]))
    for *columns, sealed in db.execute("SELECT generation, role, own, made, seal FROM canaries").fetchall():
        generation, role, own, made = columns
        if sealed == _first_seal(generation, role, own.hex(), made.hex()):
            row = (seal(*columns), generation, role)
            db.execute("UPDATE canaries SET seal = ? WHERE generation = ? AND role = ?", row)


def _first_seal(*columns: object) -> str:
    return hashlib.sha256(jsontext.dumps(columns).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _defaults_and_exclusions(db: sqlite3.Connection) -> None:
    """One set may be chosen as the default, and each keeps which files it leaves out."""
    each_statement(
        db,
        """
        ALTER TABLE sets ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sets ADD COLUMN excluded TEXT NOT NULL DEFAULT '[]';
        """,
    )


def _records(db: sqlite3.Connection) -> None:
    """What a program hands over has no file to be read again: its texts are kept."""
    each_statement(
        db,
        """
        CREATE TABLE records (
            generation INTEGER NOT NULL REFERENCES generations (id),
            id TEXT NOT NULL,
            text TEXT NOT NULL,
            title TEXT NOT NULL,
            metadata TEXT NOT NULL,
            PRIMARY KEY (generation, id)
        );
        """,
    )


def _monitoring(db: sqlite3.Connection) -> None:
    each_statement(db, MONITORING)
    mark_logged(db)


PATHS = "ALTER TABLE sets ADD COLUMN paths TEXT NOT NULL DEFAULT '[]'"
STEPS = (
    SchemaStep(1, _sets_and_sources),
    SchemaStep(2, _specs_generations_and_jobs),
    SchemaStep(3, _identities_and_canaries),
    SchemaStep(4, _what_was_left_out),
    SchemaStep(5, _defaults_and_exclusions),
    SchemaStep(6, _records),
    SchemaStep(7, lambda db: each_statement(db, CREATE)),
    SchemaStep(8, lambda db: each_statement(db, CALIBRATIONS)),
    SchemaStep(9, lambda db: each_statement(db, MIGRATIONS)),
    SchemaStep(10, lambda db: each_statement(db, PATHS)),
    SchemaStep(11, lambda db: each_statement(db, PROJECTIONS)),
    SchemaStep(12, lambda db: each_statement(db, PROGRESS)),
    SchemaStep(13, lambda db: each_statement(db, RULES)),
    SchemaStep(14, lambda db: each_statement(db, RETRY_AT)),
    SchemaStep(15, lambda db: each_statement(db, TRIALS)),
    SchemaStep(16, lambda db: each_statement(db, VIEWS)),
    SchemaStep(17, lambda db: each_statement(db, COARSE)),
    SchemaStep(18, lambda db: each_statement(db, FUSIONS)),
    SchemaStep(19, lambda db: each_statement(db, TITLES)),
    SchemaStep(20, _monitoring),
)
VERSION = STEPS[-1].version
"""Of the schema that this version of the library reads and writes."""


def version_of(db: sqlite3.Connection) -> int:
    """The format that a file is in; 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_version(file: Path, version: int) -> None:
    """Raises HomeTooNew for a file that a later version of the library wrote."""
    if version > VERSION:
        raise HomeTooNew(
            f"{file} was written by a later embassay (format {version}, this one reads up to {VERSION}).",
            remedy="Upgrade embassay.",
        )


def move_forward(db: sqlite3.Connection, file: Path) -> None:
    """Apply the steps that `db` lacks, each in a transaction of its own. Raises sqlite3.Error, HomeTooNew.

    Several processes may do this at once: each step is taken under SQLite's write lock, by the first one. A file
    that held something is copied before each step, see `backup_of`.
    """
    is_new = version_of(db) == 0
    for step in STEPS:
        if version_of(db) >= step.version:
            continue
        with transaction(db):
            before = version_of(db)
            if before >= step.version:  # another process was faster
                continue
            if not is_new:
                _copy(file, backup_of(file, before))
            step.apply(db)
            db.execute(f"PRAGMA user_version = {step.version}")


def in_memory(file: Path, db: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of `db` in memory, moved forward: for a file that cannot be written."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.backup(copy)
    for step in STEPS:
        if version_of(copy) < step.version:
            with transaction(copy):
                step.apply(copy)
                copy.execute(f"PRAGMA user_version = {step.version}")
    check_version(file, version_of(copy))
    return copy


def backup_of(file: Path, version: int) -> Path:
    """Where the copy of a file of format `version` is kept when the file is moved forward."""
    return file.with_name(f"{file.name}.format-{version}")


def _copy(file: Path, target: Path) -> None:
    """A consistent copy, log included, that is there whole or not at all. The first one made of a format is kept.

    What people searched for is left out of it, so that clearing the query log leaves nothing behind."""
    if target.exists():
        return
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.new")
    unfinished.unlink(missing_ok=True)
    write_new(unfinished, "")  # private, and no link
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            _empty(copy, TABLES)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _empty(db: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Delete all rows of those `tables` that are there, and overwrite where they stood."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.execute("PRAGMA secure_delete = ON")
    for name in there.intersection(tables):
        db.execute(f"DELETE FROM {name}")
    db.commit()
