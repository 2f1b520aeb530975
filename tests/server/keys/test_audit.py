"""The audit log: whole lines, in order, bounded, and nothing in it that is a secret."""

import json
import signal
import subprocess
import sys

import pytest

from embassay.server.keys import audit
from embassay.server.keys.audit import AUDIT_FILE, AuditEntry, AuditLog
from tests.disks import fill, small_disk

ENTRY = AuditEntry("PUT", "/api/v1/embedding-sets/{name}", 200, "0123456789ab", "ci", "10.0.0.7", set="docs")


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line(tmp_path):
    log = AuditLog(tmp_path / AUDIT_FILE, clock=lambda: 1795816800.25)
    log.note(ENTRY)
    assert lines(tmp_path / AUDIT_FILE) == [
        {
            "at": "2026-11-27T22:00:00.250Z", "method": "PUT", "route": "/api/v1/embedding-sets/{name}", "status": 200,
            "key": "0123456789ab", "name": "ci", "client": "10.0.0.7", "set": "docs",
        }
    ]  # fmt: skip
    assert (tmp_path / AUDIT_FILE).stat().st_mode & 0o777 == 0o600
    AuditLog(None).note(ENTRY)


def test_a_name_cannot_make_a_line_of_its_own(tmp_path):
    evil = 'x"}\n{"at": "2026", "status": 200}\n\x1b[2J\u2028é\ud800' + "y" * 5000
    AuditLog(tmp_path / AUDIT_FILE).note(AuditEntry("GET", "/r", 404, set=evil, model=evil, name=evil))
    raw = (tmp_path / AUDIT_FILE).read_bytes()
    assert raw.count(b"\n") == 1 and raw.isascii() and b"\x1b" not in raw and len(raw) < 4000
    assert json.loads(raw)["set"] == evil[: audit.LONGEST]


def test_one_who_is_refused_again_and_again_fills_no_log(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(audit.time, "monotonic", lambda: now[0])
    log = AuditLog(tmp_path / AUDIT_FILE)
    refused = AuditEntry("GET", "/v1/models", 401, client="10.0.0.7", code="key_refused")
    for _ in range(1000):
        log.note(refused)
    log.note(AuditEntry("GET", "/v1/models", 401, client="10.0.0.8", code="key_refused"))
    log.note(ENTRY)
    log.note(ENTRY)
    now[0] += audit.QUIET_SECONDS
    log.note(refused)
    found = lines(tmp_path / AUDIT_FILE)
    assert [one.get("times", 1) for one in found] == [1, 1, 1, 1, 1000]
    assert len(found) == 5 and found[-1]["client"] == "10.0.0.7"
    log.note(refused)
    log.close()
    assert lines(tmp_path / AUDIT_FILE)[-1]["client"] == "10.0.0.7" and len(lines(tmp_path / AUDIT_FILE)) == 6


def test_many_clients_that_are_refused_take_bounded_memory(tmp_path):
    log = AuditLog(tmp_path / AUDIT_FILE)
    for i in range(3 * audit.MOST_QUIET):
        log.note(AuditEntry("GET", "/v1/models", 401, client=f"10.0.{i // 256}.{i % 256}", code="key_refused"))
    assert len(log.quiet) <= audit.MOST_QUIET


def test_files_are_put_aside_and_the_oldest_goes(tmp_path):
    log = AuditLog(tmp_path / AUDIT_FILE, largest=1000)
    for i in range(61):
        log.note(AuditEntry("PUT", "/r", 200, set=f"{i:03} {'x' * 90}"))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [AUDIT_FILE, *(f"{AUDIT_FILE}.{n}" for n in range(1, audit.KEPT + 1))]
    assert all(file.stat().st_size <= 1200 for file in tmp_path.iterdir())
    kept = [
        row["set"][:3]
        for n in (*range(audit.KEPT, 0, -1), 0)
        for row in lines(tmp_path / (f"{AUDIT_FILE}.{n}" if n else AUDIT_FILE))
    ]
    assert kept == [f"{i:03}" for i in range(61 - len(kept), 61)], "in order, without a gap"


WRITE = """
import sys
from pathlib import Path
from embassay.server.keys.audit import AuditEntry, AuditLog
log, i = AuditLog(Path(sys.argv[1]), largest=int(sys.argv[3])), 0
while i != int(sys.argv[4]):
    log.note(AuditEntry("PUT", "/r", 200, set=f"{sys.argv[2]} {i} {'x' * 100}")); i += 1
    if i == 50: print(1, flush=True)
"""


def test_processes_that_write_at_once_lose_no_line(tmp_path):
    command = [sys.executable, "-c", WRITE, tmp_path / AUDIT_FILE]
    running = [subprocess.Popen([*command, str(n), "20000", "150"], stdout=subprocess.DEVNULL) for n in range(3)]
    assert [one.wait(60) for one in running] == [0] * 3
    kept = [row["set"].rpartition(" ")[0] for file in tmp_path.iterdir() for row in lines(file)]
    assert len(kept) == len(set(kept)) == 450


def test_a_process_that_is_killed_leaves_whole_lines(tmp_path):
    for n in range(3):
        command = [sys.executable, "-c", WRITE, tmp_path / AUDIT_FILE, str(n), "1000000", "-1"]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        worker.stdout.readline()
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    raw = (tmp_path / AUDIT_FILE).read_bytes()
    assert raw.endswith(b"\n") and len(lines(tmp_path / AUDIT_FILE)) >= 150


def test_a_line_that_a_loss_of_power_has_cut_stands_by_itself(tmp_path):
    (tmp_path / AUDIT_FILE).write_bytes(b'{"at": "2026-')
    AuditLog(tmp_path / AUDIT_FILE).note(ENTRY)
    cut, whole = (tmp_path / AUDIT_FILE).read_bytes().splitlines()
    assert cut == b'{"at": "2026-' and json.loads(whole)["set"] == "docs"


def test_a_full_disk_leaves_no_half_line_and_is_told_once(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        told = []
        log = AuditLog(disk / AUDIT_FILE, told.append)
        log.note(ENTRY)
        ballast = fill(disk)
        for i in range(200):
            log.note(AuditEntry("PUT", "/r", 200, set=f"{i} {'x' * 190}"))
        assert len(told) == 1 and "not audited" in told[0]
        before = lines(disk / AUDIT_FILE)
        ballast.unlink()
        log.note(ENTRY)
        assert lines(disk / AUDIT_FILE)[:-1] == before


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_it_is_written_to_nothing_but_a_file(tmp_path, kind):
    place = tmp_path / AUDIT_FILE
    place.symlink_to(tmp_path / "elsewhere") if kind == "link" else place.mkdir()
    told = []
    AuditLog(place, told.append).note(ENTRY)
    assert told and not (tmp_path / "elsewhere").exists()
