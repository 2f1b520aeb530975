"""The file of use: shared by processes, never in the way, whatever is wrong with it."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from embassay.server.keys import use
from embassay.server.keys.use import UNUSED, USE_FILE, Use, UseFile
from tests.disks import fill, small_disk

ADD = """
import sys
from dataclasses import replace
from pathlib import Path
from embassay.server.keys import use
use.LOCK_TRIES = 100_000
file = use.UseFile(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    file.change(3, "a" * 12, lambda one: replace(one, requests=one.requests + 1))
"""


def one_more(row: Use) -> Use:
    return replace(row, requests=row.requests + 1)


def test_a_row_comes_back_and_others_stay(tmp_path):
    file = UseFile(tmp_path / USE_FILE)
    assert file.read(1, "a" * 12) == UNUSED and not (tmp_path / USE_FILE).exists()
    made = Use(12.5, 13.5, 7, 1 << 40, 1.8e9)
    assert file.change(1, "a" * 12, lambda _: made) == made
    file.change(200, "b" * 12, one_more)
    file.close()
    assert file.read(1, "a" * 12) == made
    assert UseFile(tmp_path / USE_FILE).read(200, "b" * 12).requests == 1
    assert (tmp_path / USE_FILE).stat().st_mode & 0o777 == 0o600


def test_the_row_of_another_key_is_no_use_of_this_one(tmp_path):
    """Where the file of keys was made anew, its slots are given again."""
    file = UseFile(tmp_path / USE_FILE)
    file.change(1, "a" * 12, one_more)
    assert file.read(1, "b" * 12) == UNUSED
    assert file.change(1, "b" * 12, one_more).requests == 1


def test_processes_and_threads_count_together(tmp_path):
    command = [sys.executable, "-c", ADD, tmp_path / USE_FILE, "2000"]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0] * 3
    file = UseFile(tmp_path / USE_FILE)
    threads = [
        threading.Thread(target=lambda: [file.change(3, "a" * 12, one_more) for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read(3, "a" * 12).requests == 3 * 2000 + 4 * 500


def test_a_process_that_is_stopped_with_the_lock_holds_nobody_up(tmp_path):
    file = UseFile(tmp_path / USE_FILE)
    file.change(3, "a" * 12, one_more)
    hold = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.flock(f, 2); print(1, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold, tmp_path / USE_FILE], stdout=subprocess.PIPE)
    holder.stdout.readline()
    holder.send_signal(signal.SIGSTOP)
    try:
        assert file.change(3, "a" * 12, one_more).requests == 2
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_what_is_only_counted_is_written_soon(tmp_path):
    file, other = UseFile(tmp_path / USE_FILE), UseFile(tmp_path / USE_FILE)
    for _ in range(500):
        file.count(3, "a" * 12, 1, 10, 5.0)
    file.count(3, "a" * 12, 0, -7, 6.0)
    assert file.read(3, "a" * 12) == Use(requests=500, tokens=4993, last=6.0)
    assert 1 <= other.read(3, "a" * 12).requests <= 500
    file.close()
    assert other.read(3, "a" * 12) == Use(requests=500, tokens=4993, last=6.0)


def test_changes_are_seen_by_all(tmp_path):
    one, other = UseFile(tmp_path / USE_FILE), UseFile(tmp_path / USE_FILE)
    assert one.changes() == other.changes() == 0
    one.changed()
    one.change(500, "a" * 12, one_more)
    assert one.changes() == other.changes() == 1
    assert UseFile(None).changes() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_a_lock_of_its_own(tmp_path):
    file = UseFile(tmp_path / USE_FILE)
    file.change(3, "a" * 12, one_more)
    child = os.fork()
    if not child:
        file.change(3, "a" * 12, one_more)
        os._exit(0)
    os.waitpid(child, 0)
    assert file.read(3, "a" * 12).requests == 2


@pytest.mark.parametrize("content", [b"somebody's notes\n" * 100, b"\xff" * 4096])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path, content):
    (tmp_path / USE_FILE).write_bytes(content)
    told = []
    file = UseFile(tmp_path / USE_FILE, told.append)
    assert file.change(3, "a" * 12, one_more).requests == 1
    assert file.change(3, "a" * 12, one_more).requests == 2, "it counts in memory"
    assert (tmp_path / USE_FILE).read_bytes() == content
    assert len(told) == 1 and "this process alone" in told[0]


def test_numbers_that_cannot_be_are_none(tmp_path):
    file = UseFile(tmp_path / USE_FILE)
    file.change(3, "a" * 12, lambda _: Use(float("nan"), 1.0, 5, 5, 5.0))
    assert file.read(3, "a" * 12) == UNUSED
    with (tmp_path / USE_FILE).open("r+b") as raw:
        raw.seek(3 * use.ROW_BYTES)
        raw.write(os.urandom(56))
    assert file.read(3, "a" * 12) == UNUSED


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / USE_FILE).symlink_to(tmp_path / "elsewhere")
    assert UseFile(tmp_path / USE_FILE).change(3, "a" * 12, one_more).requests == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_noticed_before_and_not_in_between(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        file = UseFile(disk / USE_FILE)
        file.change(1, "a" * 12, one_more)
        fill(disk)
        assert file.change(1, "a" * 12, one_more).requests == 2, "room for it was taken before"
        told = []
        late = UseFile(disk / "late", told.append)
        assert late.change(1, "a" * 12, one_more).requests == 1
        assert late.change(1, "a" * 12, one_more).requests == 2
        assert len(told) == 1
