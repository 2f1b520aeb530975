"""Homes of other formats: moved forward whole or not at all, whatever happens to the process that does it."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import embassay
from embassay.errors import HomeCorrupt, HomeTooNew, UsageError
from embassay.seals import seal
from embassay.sets import schema
from embassay.sets.state import State

REAL_HOME = Path(__file__).with_name("home_of_format_1.tar.gz")
"""Made by the last version that wrote format 1: two sets over three documents and a broken PDF."""
SPACE = {
    "model": "m", "weights": "w" * 64, "dimensions": 8, "pooling": "mean", "normalised": True,
    "query_prompt": "", "document_prompt": "", "transform": "none",
}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    shutil.unpack_archive(REAL_HOME, tmp_path)
    return tmp_path


def of_format_1(file: Path, sets: int, settings: str = '{"chunk_tokens": null}') -> Path:
    with closing(sqlite3.connect(file, isolation_level=None)) as db, schema.transaction(db):
        schema.STEPS[0].apply(db)
        for at in range(sets):
            row = (f"set{at}", "lance", f"g{at}", json.dumps(SPACE), "m", "auto", settings, "2026-01-01T00:00:00+00:00")
            db.execute(
                "INSERT INTO generations (set_name, store, name, space, model, precision, settings, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            db.execute("INSERT INTO sets VALUES (?, ?)", (f"set{at}", at + 1))
            db.execute("INSERT INTO sources VALUES (?, 'a.md', 1, 2, 'd', 'ok', '', 1, 3, 0)", (at + 1,))
        db.execute("PRAGMA user_version = 1")
    return file


def test_a_real_home_of_format_1_opens_and_is_searched(project):
    with embassay.open(project / ".embassay") as home:
        assert home.sets() == ["default", "small"]
        assert [status.chunks for status in home.status()] == [3, 4]
        assert home.search("how do I rotate a key").hits[0].chunk.path == "docs/keys.md"
        assert home.search("proxy", set="small", mode="lexical").hits[0].chunk.path == "docs/proxy.md"


def test_a_real_home_of_format_1_is_indexed_on(project):
    with embassay.open(project / ".embassay") as home:
        again = home.index([project / "docs"], checksum=True)
        assert (again.embedded, again.chunks, len(again.quarantined)) == (0, 3, 1)
        (project / "docs" / "new.md").write_text("# Deploy\n\nA release is rolled out at night.\n")
        assert home.index([project / "docs"]).embedded == 1
        assert home.index([project / "docs"], set="small").embedded == 1
        assert home.search("when are releases rolled out", set="small").hits[0].chunk.path == "docs/new.md"


def test_what_a_set_was_made_with_is_resolved(project):
    with closing(State(project / ".embassay" / "state.db")) as state:
        default, small = state.live("default").spec, state.live("small").spec
    assert (default.chunk_tokens, default.precision, default.store, default.language) == (512, "auto", "lance", "en")
    assert (small.chunk_tokens, small.precision) == (32, "f32")


def test_a_set_that_was_made_without_a_number_says_which_it_has(project):
    with (
        embassay.open(project / ".embassay") as home,
        pytest.raises(UsageError, match="made with chunk_tokens 512, not 64"),
    ):
        home.index([project / "docs"], chunk_tokens=64)


def test_a_copy_is_kept(project):
    file = project / ".embassay" / "state.db"
    before = rows_of_format_1(file)
    State(file).close()
    assert rows_of_format_1(schema.backup_of(file, 1)) == before
    with closing(sqlite3.connect(file)) as db:
        assert schema.version_of(db) == schema.VERSION


def rows_of_format_1(file: Path) -> list[tuple]:
    with closing(sqlite3.connect(file)) as db:
        assert schema.version_of(db) == 1
        return db.execute("SELECT * FROM generations").fetchall() + db.execute("SELECT * FROM sources").fetchall()


def test_a_later_format_is_refused_and_left_alone(project):
    file = project / ".embassay" / "state.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = file.read_bytes()
    with pytest.raises(HomeTooNew, match=f"format {schema.VERSION + 1}"):
        State(file)
    assert file.read_bytes() == before


def test_a_row_that_no_version_wrote_is_damage(tmp_path):
    with pytest.raises(HomeCorrupt):
        State(of_format_1(tmp_path / "state.db", 1, settings="[not json"))
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        assert schema.version_of(db) == 1, "the step was undone"


def test_rows_under_the_first_seal_of_format_3_are_taken_and_changed_ones_are_not(tmp_path):
    file = of_format_1(tmp_path / "state.db", 3)
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for step in schema.STEPS[1:3]:
            step.apply(db)
        canaries = (1, "query", b"own", b"made")
        db.execute(
            "INSERT INTO canaries VALUES (?, ?, ?, ?, ?)", (*canaries, first_seal(1, "query", "6f776e", "6d616465"))
        )
        for number, at_hand in ((1, ""), (2, " ")):  # the second row is another than the one that was sealed
            row = db.execute(
                "SELECT id, set_name, name, space, spec, identity FROM generations WHERE id = ?", (number,)
            ).fetchone()
            sealed = first_seal(*row[:3], row[3] + at_hand, *row[4:])
            db.execute("UPDATE generations SET seal = ? WHERE id = ?", (sealed, number))
        db.execute("PRAGMA user_version = 3")
    with closing(State(file)) as state:
        assert state.live("set0").spec.model == state.live("set2").spec.model == "m"
        with pytest.raises(HomeCorrupt, match="'set1' was changed by hand"):
            state.live("set1")
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT seal FROM canaries").fetchone()[0] == seal(*canaries)


def first_seal(*columns: object) -> str:
    return hashlib.sha256(json.dumps(columns, ensure_ascii=False).encode()).hexdigest()[:16]


MOVE = "import sys, pathlib; from embassay.sets.state import State; State(pathlib.Path(sys.argv[1])).close()"
DIE = """
import os, pathlib, signal, sqlite3, sys
from embassay.seals import seal
from embassay.sets import schema
file, last = pathlib.Path(sys.argv[1]), int(sys.argv[2])
statements = 0
def count(_):
    global statements
    statements += 1
    if statements == last:
        os.kill(os.getpid(), signal.SIGKILL)
db = sqlite3.connect(file, isolation_level=None)
db.set_trace_callback(count)
schema.move_forward(db, file)
"""
"""Dies at the statement of a number."""
SETS = 200
STATEMENTS = SETS + 15
"""Of the step for so many sets, at least; the last one commits."""


@pytest.mark.parametrize("last", [2, 3, 4, 5, *random.Random(0).sample(range(6, STATEMENTS), 10)])
def test_killed_while_it_is_moved_forward(last, tmp_path):
    """Nothing is lost, and the next process goes on, wherever in the step the first one was killed."""
    pristine = of_format_1(tmp_path / "pristine.db", SETS)
    file = tmp_path / "state.db"
    shutil.copy(pristine, file)
    died = subprocess.run([sys.executable, "-c", DIE, str(file), str(last)], check=False)
    assert died.returncode == -signal.SIGKILL
    with closing(State(file)) as state:
        assert len(state.sets()) == SETS
        for at in range(SETS):
            generation = state.live(f"set{at}")
            assert generation.spec.chunk_tokens == 512 and generation.space.dimensions == 8
            assert [row.chunks for row in state.sources(generation)] == [3]
    assert rows_of_format_1(schema.backup_of(file, 1)) == rows_of_format_1(pristine)


def test_many_processes_move_it_forward_at_once(tmp_path):
    file = of_format_1(tmp_path / "state.db", 500)
    started = [subprocess.Popen([sys.executable, "-c", MOVE, str(file)], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait() for process in started] == [0, 0, 0, 0]
    with closing(State(file)) as state:
        assert len(state.sets()) == 500
    assert not list(tmp_path.glob("*.new"))


def test_a_file_that_cannot_be_written_is_moved_forward_in_memory(tmp_path):
    file = of_format_1(tmp_path / "state.db", 3)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db, closing(schema.in_memory(file, db)) as copy:
        assert schema.version_of(copy) == schema.VERSION
        assert copy.execute("SELECT count(*) FROM generations").fetchone() == (3,)
    assert len(rows_of_format_1(file)) == 6 and [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_every_step_has_the_next_number():
    assert [step.version for step in schema.STEPS] == list(range(1, schema.VERSION + 1))


def test_sources_of_format_3_are_kept_and_may_be_skipped_from_then_on(tmp_path):
    file = of_format_1(tmp_path / "state.db", 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for step in schema.STEPS[1:3]:
            with schema.transaction(db):
                step.apply(db)
                db.execute(f"PRAGMA user_version = {step.version}")
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(
                "INSERT INTO sources (generation, path, size, mtime_ns, digest, state) VALUES (1, 'b', 1, 1, '', 'skipped')"
            )
        db.execute("INSERT INTO sources VALUES (1, 'bad.pdf', 1, 2, 'd', 'failed', 'broken', 0, 0, 0)")
    with closing(State(file)) as state:
        generation = state.live("set0")
        kept, bad = sorted(state.sources(generation), key=lambda row: row.path)
        assert (kept.path, kept.state, kept.chunks, kept.reader, kept.chars) == ("a.md", "ok", 3, "", 0)
        assert bad.quarantined and bad.reason == "broken" and bad.left_out == ""
        state.put(generation, [replace(kept, state="skipped", reason="binary file")])
        assert not state.sources(generation)[0].quarantined
    assert schema.backup_of(file, 3).exists()
