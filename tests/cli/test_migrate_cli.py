"""`embassay migrate` from a shell: its options, its files, its exit codes, and a process in the background."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from embassay.models.owner import runs
from tests.cli.test_cli import run

COUNT = 400


@pytest.fixture
def project(tmp_path):
    rows = [json.dumps({"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."}) for n in range(COUNT)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    run("add", "rows.jsonl", "--set", "docs", "--model", "hash/64", cwd=tmp_path, check=0)
    return tmp_path


def status(project):
    return json.loads(run("migrate", "docs", "--status", "--json", cwd=project, check=0)[1])


def test_a_set_is_moved_switched_and_moved_back(project):
    _, out, _ = run("migrate", "docs", "--to", "hash/128", "--plan", cwd=project, check=0)
    assert "planned; nothing was begun" in out and "400 chunks" in out
    run("migrate", "docs", "--status", cwd=project, check=1)
    _, out, _ = run("migrate", "docs", "--to", "hash/128", cwd=project, check=0)
    assert "embassay switch docs" in out and all(len(line) <= 80 for line in out.splitlines())
    assert status(project)["state"] == "ready"
    run("switch", "docs", cwd=project, check=0)
    assert status(project)["state"] == "switched"
    run("rollback", "docs", cwd=project, check=0)
    assert status(project)["state"] == "rolled-back"


def test_one_in_the_background_is_seen_paused_and_gone_on_with(project):
    said = json.loads(
        run("migrate", "docs", "--to", "hash/128", "--rate", "10/s", "--background", "--json", cwd=project, check=0)[1]
    )
    assert said["at_work"]
    number = int(said["process"].rpartition(":")[2])
    assert os.getpriority(os.PRIO_PROCESS, number) >= 10 and os.getsid(number) == number
    code, _, told = run("migrate", "docs", "--resume", "--background", cwd=project)
    assert code == 1 and "--status" in told
    assert json.loads(run("migrate", "docs", "--pause", "--json", cwd=project, check=0)[1])["state"] == "paused"
    wait_for_the_end(number)
    paused = status(project)
    assert paused["state"] == "paused" and not paused["at_work"] and paused["chunks"] < COUNT
    run("migrate", "docs", "--resume", "--rate", "1000/s", cwd=project, check=0)
    assert status(project)["state"] == "ready"


def test_one_that_was_killed_is_seen_and_gone_on_with(project):
    args = ("migrate", "docs", "--to", "hash/128", "--rate", "15/s", "--background", "--json")
    number = int(json.loads(run(*args, cwd=project, check=0)[1])["process"].rpartition(":")[2])
    until = time.monotonic() + 30
    while not status(project)["chunks"]:
        assert time.monotonic() < until
    os.kill(number, signal.SIGKILL)
    wait_for_the_end(number)
    killed = status(project)
    assert killed["state"] == "backfilling" and not killed["at_work"]
    assert killed["actions"][0]["options"] == {"resume": True}
    run("migrate", "docs", "--resume", "--rate", "1000/s", cwd=project, check=0)
    done = status(project)
    assert done["state"] == "ready" and done["chunks"] == COUNT


def wait_for_the_end(number):
    until = time.monotonic() + 20
    while runs(number):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_file_is_done_once(project):
    (project / "migration.yaml").write_text("set: docs\nto: hash/128\nswitch: true\nkeep: 3d\n")
    plan = json.loads(run("migrate", "-f", "migration.yaml", "--plan", "--json", cwd=project, check=0)[1])
    assert plan["chunks"] == COUNT and plan["tokens"] > 0
    run("migrate", "-f", "migration.yaml", cwd=project, check=0)
    assert status(project)["state"] == "switched"
    again = run("migrate", "-f", "migration.yaml", "--json", cwd=project, check=0)[1]
    assert json.loads(again) == {"set": "docs", "state": "there"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("set: docs\nto: hash/128\nrat: 3\n", "Did you mean 'rate'?"),
        ("to: hash/128\n", "set"),
        ("set: docs\n", "--to MODEL"),
        ("set: docs\nto: hash/128\nmax_spend: much\n", "max_spend"),
        ("set: docs\nto: hash/128\nkeep: long\n", "keep is 'long'"),
        ("- a\n", "not keys and values"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(project, text, told):
    (project / "migration.yaml").write_text(text)
    assert told in run("migrate", "-f", "migration.yaml", cwd=project, check=2)[2]
    assert not [*(project / ".embassay" / "vectors").glob("*.lance")][1:]


@pytest.mark.parametrize(
    "args",
    [
        ("docs",),
        ("docs", "--to", "hash/128", "--status"),
        ("docs", "--pause", "--resume"),
        ("--status",),
        ("docs", "-f", "migration.yaml"),
        ("docs", "--to", "hash/128", "--rate", "fast"),
    ],
)
def test_what_is_not_clear_is_asked_back(project, args):
    (project / "migration.yaml").write_text("set: docs\nto: hash/128\n")
    run("migrate", *args, cwd=project, check=2)
