"""`embassay switch` and `embassay rollback` as people and programs see them."""

from __future__ import annotations

import json

import pytest

import embassay
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run as migrate
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run


@pytest.fixture
def ready(indexed):
    """A set with a generation that is ready to be switched to."""
    with embassay.open(indexed / ".embassay") as home:
        begin(home._sets, "default", MigrationTarget.of("hash/64"))
        migrate(home._sets, "default")
    return indexed


def test_there_and_back(ready):
    done = json.loads(run("switch", "default", "--json", cwd=ready, check=0)[1])
    assert set(done) == {"set", "from", "to", "brought", "words_only", "seconds", "keep_until", "trial", "model_error"}
    assert done["to"]["space"].endswith(":64") and done["to"] != done["from"]
    assert json.loads(run("search", "rotate", "--json", cwd=ready, check=0)[1])["space"] == done["to"]["space"]
    _, out, err = run("rollback", "default", "--keep", "12h", cwd=ready, check=0)
    assert out.startswith(f"default: {done['to']['space']} -> {done['from']['space']}") and err == ""
    assert json.loads(run("search", "rotate", "--json", cwd=ready, check=0)[1])["space"] == done["from"]["space"]


def test_what_cannot_be_done_says_what_can(indexed):
    code, _, err = run("rollback", "default", cwd=indexed)
    assert code == 1 and "no generation that was live before" in err and "embassay log default" in err
    code, _, err = run("switch", "default", cwd=indexed)
    assert code == 1 and "embassay migrate default --to MODEL" in err
    code, _, err = run("switch", "nope", cwd=indexed)
    assert code == 1 and "There are: default." in err
    code, _, err = run("switch", "default", "--keep", "soon", cwd=indexed)
    assert code == 2 and "such as 45s, 30m, 12h, 7d or 2w" in err
