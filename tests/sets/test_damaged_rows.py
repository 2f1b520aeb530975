"""SQLite keeps a text where a number belongs: whatever stands in a row of state.db, the error names the file and a remedy."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from embassay.errors import EmbassayError, HomeCorrupt
from embassay.home import Home
from embassay.sets.folder import HomeFolder
from embassay.sets.state import State

VALUES = ["a text", "", b"\x00\xff", None, 1.5, -1, 2**62, "²"]
COLUMNS = [
    ("sets", "name"), ("sets", "live"), ("sets", "previous"), ("sets", "building"),
    ("generations", "id"), ("generations", "set_name"), ("generations", "name"), ("generations", "space"),
    ("generations", "spec"), ("generations", "created"),
    ("sources", "generation"), ("sources", "path"), ("sources", "size"), ("sources", "mtime_ns"), ("sources", "digest"),
    ("sources", "state"), ("sources", "reason"), ("sources", "documents"), ("sources", "chunks"), ("sources", "truncated"),
    ("jobs", "kind"), ("jobs", "started"), ("jobs", "heartbeat"), ("jobs", "process"),
]  # fmt: skip


@pytest.fixture(scope="module")
def indexed(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("damaged")
    (root / "docs").mkdir()
    (root / "docs" / "a.md").write_text("# Keys\n\nRotate a key.\n")
    with Home(HomeFolder(root / ".embassay")) as home:
        home.index([root / "docs"], model="hash/64")
    return root


def damage(indexed: Path, tmp_path: Path, table: str, column: str, value: object) -> Path:
    """A copy of the home in which every row of a column holds `value`, whatever the schema demands."""
    copy = tmp_path / "copy"
    shutil.copytree(indexed, copy)
    with sqlite3.connect(copy / ".embassay" / "state.db") as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        try:
            db.execute(f"UPDATE {table} SET {column} = ?", (value,))
        except sqlite3.IntegrityError:
            pytest.skip("SQLite itself keeps this one out")
    db.close()
    return copy


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=".".join)
def test_any_value_in_any_column(indexed, tmp_path, table, column, value):
    copy = damage(indexed, tmp_path, table, column, value)
    with Home(HomeFolder(copy / ".embassay")) as home:
        for use in (
            home.sets,
            home.status,
            lambda: home.search("a key"),
            home.doctor,
            lambda: home.index([copy / "docs"]),
        ):
            try:
                use()
            except EmbassayError as error:
                assert error.message


FIELDS = ["model", "weights", "dimensions", "normalised", "pooling", "query_prompt"]


@pytest.mark.parametrize("value", ["a text", None, [1], {"a": 1}, 1.5, True], ids=repr)
@pytest.mark.parametrize("field", FIELDS)
def test_any_value_in_a_field_of_a_space(indexed, tmp_path, field, value):
    with sqlite3.connect(indexed / ".embassay" / "state.db") as db:
        (space,) = db.execute("SELECT space FROM generations").fetchone()
    stored = json.loads(space)
    if stored[field] is value:
        pytest.skip("that is what it was")
    copy = damage(indexed, tmp_path, "generations", "space", json.dumps(stored | {field: value}))
    state = State(copy / ".embassay" / "state.db")
    with pytest.raises(HomeCorrupt, match="is damaged"):
        state.live("default")
    state.close()


@pytest.mark.parametrize("text", ["[" * 5000, '{"a": NaN}', "null", "[]", '"x"', "", "{}", '{"dimensions": 1e999}'])
def test_a_space_that_is_none(indexed, tmp_path, text):
    copy = damage(indexed, tmp_path, "generations", "space", text)
    state = State(copy / ".embassay" / "state.db")
    with pytest.raises(HomeCorrupt, match=r"is damaged .*Restore it from a backup"):
        state.live("default")
    state.close()
