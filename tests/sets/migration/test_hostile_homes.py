"""A migration on disks that are full or read-only, in homes that are moved, and with clocks that jump."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

import embassay
from embassay.errors import MigrationPaused
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run
from tests.disks import fill, small_disk
from tests.sets.indexed import rows

COUNT = 1500
RECORDS = [{"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."} for n in range(COUNT)]


@pytest.fixture
def disk(tmp_path):
    """A disk of 60 MB."""
    with small_disk(tmp_path / "disk", "60m") as place:
        yield place


def remount(disk, options):
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def test_a_disk_that_is_full_in_the_backfill_pauses_it_and_nothing_is_lost(disk, tmp_path):
    with embassay.open(disk / "home") as home, embassay.open(tmp_path / "undisturbed") as other:
        for one in (home, other):
            one.set("docs").upsert(RECORDS, model="hash/64")
        other.set("docs").migrate("hash/1024")
        fill(disk, left=1_500_000)
        with pytest.raises(MigrationPaused, match="disk is full") as raised:
            home.set("docs").migrate("hash/1024")
        assert raised.value.cause == "home_not_writable" and "--resume" in raised.value.remedy.in_shell()
        assert home.set("docs").search("key number 17", k=1).hits
        (disk / "ballast").unlink()
        assert home.set("docs").resume_migration().state == "ready"
        for one in (home, other):
            one.set("docs").switch()
        assert rows(home, "docs") == rows(other, "docs")


def test_a_disk_that_is_full_in_the_verification_pauses_it_and_no_check_is_left_out(disk):
    def gate(*_):
        fill(disk)
        return ()

    with embassay.open(disk / "home") as home:
        docs = home.set("docs")
        docs.upsert(RECORDS[:300], model="hash/64")
        with pytest.raises(MigrationPaused, match="disk is full") as raised:
            docs.migrate("hash/128", gate=gate)
        assert "--resume" in raised.value.remedy.in_shell()
        assert docs.search("key number 17", k=1).hits
        (disk / "ballast").unlink()
        found = docs.resume_migration()
        assert found.state == "ready" and found.report["passed"] and found.report["checks"]
        docs.switch()
        assert docs.status().chunks == 300


def test_a_disk_without_any_room_can_be_looked_at_and_searched(disk, tmp_path):
    with embassay.open(disk / "home") as home:
        home.set("docs").upsert(RECORDS[:100], model="hash/64")
        home.set("docs").migrate("hash/128")
        home.set("kept").upsert(RECORDS[:100], model="hash/64")
        home.set("kept").migrate("hash/128")
        home.set("kept").switch()
    fill(disk)
    reads_and_refuses(disk, "the disk is full")
    (disk / "ballast").unlink()
    run("switch", "docs", "--home", disk / "home", cwd=tmp_path, check=0)
    run("rollback", "kept", "--home", disk / "home", cwd=tmp_path, check=0)


def test_a_read_only_disk_can_be_looked_at_and_searched(disk, tmp_path):
    with embassay.open(disk / "home") as home:
        home.set("docs").upsert(RECORDS[:100], model="hash/64")
        home.set("docs").migrate("hash/128")
        home.set("kept").upsert(RECORDS[:100], model="hash/64")
        home.set("kept").migrate("hash/128")
        home.set("kept").switch(keep_days=0)
    remount(disk, "ro")
    reads_and_refuses(disk, "mounted read-only", garbage=True)


def reads_and_refuses(disk, why, *, garbage=False):
    """What only reads works, and what writes says why it does not."""
    home = ("--home", disk / "home")
    found = json.loads(run("migrate", "docs", "--status", "--json", *home, cwd=disk.parent, check=0)[1])
    assert found["state"] == "ready" and found["chunks"] == 100
    assert "switched" in run("log", "kept", *home, cwd=disk.parent, check=0)[1]
    assert "planned" in run("migrate", "kept", "--to", "hash/256", "--plan", *home, cwd=disk.parent, check=0)[1]
    assert "r17" in run("search", "Record 17", "--set", "docs", "--cascade", *home, cwd=disk.parent, check=0)[1]
    assert "docs" in run("status", *home, cwd=disk.parent, check=0)[1]
    assert ("removable" in run("gc", *home, cwd=disk.parent, check=0)[1]) is garbage
    for command in (
        ("migrate", "kept", "--to", "hash/256"),
        ("migrate", "docs", "--resume"),
        ("migrate", "docs", "--abort"),
        ("switch", "docs"),
        ("rollback", "kept"),
        *((("gc", "--apply"),) if garbage else ()),
    ):
        code, _, told = run(*command, *home, cwd=disk.parent)
        assert code == 1 and why in told and "Traceback" not in told and ".rs:" not in told, (command, told)


def test_a_home_that_is_moved_in_mid_migration_is_gone_on_with(tmp_path):
    """Killed there, copied here: neither a number that a process has here nor a fresh heart is taken for the worker."""
    with embassay.open(tmp_path / "there" / ".embassay") as home:
        home.set("docs").upsert(RECORDS[:200], model="hash/64")
        begin(home._sets, "docs", MigrationTarget.of("hash/128"))
        migration = home._sets.state.migrations.open("docs")
        home._sets.state.migrations.advance(migration, ("planned",), "backfilling")
        home._sets.state.jobs._start("migrate", migration.generation)
    shutil.copytree(tmp_path / "there", tmp_path / "here")
    file = tmp_path / "here" / ".embassay" / "state.db"
    host = os.uname().nodename
    owners = {
        f"{host}:{os.getpid()}:1": False,  # a machine of the same name, where another process had the number
        f"{host}:{2**22 + 1}:1": False,
        f"elsewhere:{os.getpid()}:1": True,  # its heart beat a moment ago: it may share the disk
    }
    for owner, at_work in owners.items():
        with sqlite3.connect(file) as db:
            db.execute("UPDATE jobs SET process = ?", (owner,))
        with embassay.open(file.parent) as home:
            assert home.set("docs").migration().at_work is at_work
    with sqlite3.connect(file) as db:
        db.execute("UPDATE jobs SET heartbeat = heartbeat - 61")
    with embassay.open(file.parent) as home:
        found = home.set("docs").migration()
        assert not found.at_work and "--resume" in found.next.in_shell()
        assert home.set("docs").resume_migration().state == "ready"


@pytest.mark.parametrize("jump", [-86400.0, 366 * 86400.0], ids=["a day back", "a year on"])
def test_clocks_that_jump(tmp_path, monkeypatch, jump):
    """What is kept goes by the clock, and a clock that was put back removes nothing early; the rest takes no notice."""
    real = time.time
    with embassay.open(tmp_path / ".embassay") as home:
        docs = home.set("docs")
        docs.upsert(RECORDS[:100], model="hash/64")
        docs.migrate("hash/128")
        docs.switch()
        assert docs.migrate("hash/256").state == "ready"
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        assert [one.kind for one in home.gc().found] == ([] if jump < 0 else ["kept"])
        assert docs.migration().state == "ready" and docs.resume_migration().state == "ready"
        docs.upsert([{"id": "new", "text": "Came after the jump."}])
        docs.switch()
        assert docs.rollback().words_only == 0
        assert docs.search("Came after the jump.", k=1, mode="lexical").hits[0].chunk.document == "new"
        said = [one.what for one in docs.history()]
        assert said[:2] == ["rolled back", "switched"], "in the order in which it happened, whatever the clock said"
