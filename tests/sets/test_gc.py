"""What nobody needs any more goes, and nothing else does, whoever reads or writes meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

import embassay
from embassay.sets import gc
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.check import Check
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run as command

HOLD = """
import sys, embassay
with embassay.open(sys.argv[1]) as home, home.searcher("docs") as index:
    print("open", flush=True)
    sys.stdin.readline()
    print(len(index.search("rotate", embassay.search.modes.pipeline("lexical", 3)).hits), flush=True)
"""


@pytest.fixture
def switched(home, docs, model):
    """A set that was switched, and whose old generation is kept no longer."""
    home.set("docs").index([docs], model=model)
    begin(home._sets, "docs", MigrationTarget.of("hash/64"))
    run(home._sets, "docs")
    home.set("docs").switch(keep_days=0)
    return home


def kinds(collected):
    return [(one.kind, one.state) for one in collected.found]


def tables(home):
    return {folder.name.removesuffix(".lance") for folder in (home.folder / "vectors").glob("*.lance")}


def test_a_kept_generation_goes_once_its_time_is_over_and_not_before(switched):
    old, state = switched._sets.state.set("docs").previous, switched._sets.state
    assert kinds(switched.gc()) == [("kept", "removable")]
    foreseen = switched.gc().bytes
    assert foreseen > 0 and state.set("docs").previous == old, "nothing was removed yet"
    done = switched.gc(apply=True)
    assert kinds(done) == [("kept", "removed")] and done.bytes == foreseen
    assert tables(switched) == {switched._sets.live("docs").name}
    assert state.set("docs").previous is None and switched.gc().found == ()
    assert switched.search("rotate", set="docs").hits
    assert state.history.of("docs")[0].what == "kept generation removed"


def test_within_its_time_it_stays(home, docs, model):
    home.set("docs").index([docs], model=model)
    begin(home._sets, "docs", MigrationTarget.of("hash/64"))
    run(home._sets, "docs")
    assert home.gc(apply=True).found == ()
    home.set("docs").switch(keep_days=1)
    assert home.gc(apply=True).found == ()
    home.set("docs").rollback()


def test_what_another_process_has_open_stays(switched):
    sets = switched._sets
    switched.set("docs").rollback(keep_days=1)
    reader = subprocess.Popen(
        [sys.executable, "-c", "import embassay.search.modes" + HOLD, str(switched.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout.readline() == "open\n"
    switched.set("docs").rollback(keep_days=0)
    assert kinds(switched.gc(apply=True)) == [("kept", "in use")]
    assert sets.state.set("docs").previous is not None
    out, _ = reader.communicate("go on\n", timeout=60)
    assert int(out) > 0 and reader.returncode == 0
    assert kinds(switched.gc(apply=True)) == [("kept", "removed")]


def test_the_index_that_this_process_has_open_and_does_not_use_is_closed(switched):
    switched.set("docs").rollback(keep_days=1)
    assert switched.search("rotate", set="docs").hits
    switched.set("docs").rollback(keep_days=0)
    assert kinds(switched.gc(apply=True)) == [("kept", "removed")]
    assert switched.search("rotate", set="docs").hits


def test_a_search_whose_generation_is_removed_under_it_begins_anew_on_the_live_one(switched, monkeypatch):
    """As where the home of a reader cannot be written, so that no lock can be had."""
    monkeypatch.setattr("embassay.sets.holds._lock", lambda *_, **__: None)
    switched.set("docs").rollback(keep_days=1)
    old = switched._sets.live("docs")
    sets, asked = switched._sets, []
    live = sets.state.live

    def late(name):
        found = live(name)
        if not asked:
            asked.append(name)
            with embassay.open(switched.folder) as other:
                other.set("docs").rollback(keep_days=0)
                assert kinds(other.gc(apply=True)) == [("kept", "removed")]
            return found
        return old if len(asked) < 2 and not asked.append(name) else live(name)

    monkeypatch.setattr(sets.state, "live", late)
    found = switched.search("rotate", set="docs")
    assert found.hits and found.space == live("docs").space != old.space


def test_what_a_migration_leaves_that_failed_long_ago(home, docs, model, monkeypatch):
    home.set("docs").index([docs], model=model)
    begin(home._sets, "docs", MigrationTarget.of("hash/64"))
    run(home._sets, "docs", [lambda *_: [Check("meaning", passed=False, detail="nothing is found", figures={})]])
    assert home.gc(apply=True).found == ()
    monkeypatch.setattr(gc, "KEEP_SECONDS", -1.0)
    assert kinds(home.gc(apply=True)) == [("failed", "removed")]
    assert home._sets.state.set("docs").building is None and tables(home) == {home._sets.live("docs").name}


def test_collections_that_nobody_knows(switched):
    """A killed process left one, another one is about to get its row, and the third one is somebody's copy."""
    vectors = switched.folder / "vectors"
    live = vectors / f"{switched._sets.live('docs').name}.lance"
    for name in ("g00000000000a", "g00000000000b", "backup"):
        shutil.copytree(live, vectors / f"{name}.lance")
    for place, _, files in os.walk(vectors / "g00000000000a.lance"):
        for one in (place, *(os.path.join(place, file) for file in files)):
            os.utime(one, (1e9, 1e9))
    switched.gc(apply=True)
    assert tables(switched) == {switched._sets.live("docs").name, "g00000000000b", "backup"}


def test_doctor_tells_and_the_command_removes(switched):
    found = [one for one in switched.doctor() if one.check == "gc"]
    assert [(one.set, one.level) for one in found] == [("docs", "notice")]
    project = switched.folder.parent
    _, out, _ = command("gc", cwd=project, check=0)
    assert "its time is over" in out and "embassay gc --apply" in out
    assert "freed." in command("gc", "--apply", cwd=project, check=0)[1]
    assert command("gc", cwd=project, check=0)[1] == "0 B to be freed.\n"
