"""`embassay log`: what happened to a set."""

from __future__ import annotations

import json

from tests.cli.test_cli import run


def test_what_happened_is_shown(indexed):
    _, out, _ = run("log", cwd=indexed, check=0)
    assert "indexed" in out and "created" in out and "5 files" in out
    assert all(len(line) <= 120 and line == line.rstrip() for line in out.splitlines()[1:2])
    run("delete", "default", "--path", "docs/keys.md", "--yes", cwd=indexed, check=0)
    _, out, _ = run("log", "default", "-n", 2, "--json", cwd=indexed, check=0)
    told = json.loads(out)
    assert told["set"] == "default"
    assert [one["what"] for one in told["history"]] == ["deleted", "indexed"]
    assert set(told["history"][0]) == {"happened", "what", "build", "version", "set", "detail"}
    assert told["history"][0]["detail"]["documents"] == 1


def test_what_cannot_be_shown(indexed):
    _, _, err = run("log", "nothing", cwd=indexed, check=1)
    assert "no set 'nothing'" in err
    run("log", "-n", 0, cwd=indexed, check=2)
