"""`embassay sets` as people and programs see it."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_cli import run


@pytest.fixture
def two(indexed):
    run("index", "docs/keys.md", "--set", "keys", "--model", "../model", cwd=indexed, check=0)
    return indexed


def test_list_marks_the_default(two):
    _, out, _ = run("sets", "list", cwd=two, check=0)
    assert "default *" in out and "keys" in out and "keys *" not in out
    run("sets", "default", "keys", cwd=two, check=0)
    found = json.loads(run("sets", "list", "--json", cwd=two, check=0)[1])
    assert set(found) == {"home", "sets"}
    assert [(one["set"], one["is_default"], one["chosen"]) for one in found["sets"]] == [
        ("default", False, False),
        ("keys", True, True),
    ]


def test_show(two):
    _, out, _ = run("sets", "show", "keys", cwd=two, check=0)
    assert "docs/keys.md" in out
    assert "at most 32 tokens" in out or "tokens" in out
    shown = json.loads(run("sets", "show", "--json", cwd=two, check=0)[1])
    assert set(shown) == {
        "set", "space", "space_digest", "language", "documents", "chunks", "waiting", "quarantined", "bytes", "kind",
        "of", "where", "model",
        "precision", "chunk_tokens", "store", "dtype", "rules", "is_default", "chosen", "created", "written", "generations",
        "auto_embed", "fusion", "excluded", "paths",
    }  # fmt: skip
    assert shown["set"] == "default" and shown["model"].endswith("/model")
    code, _, err = run("sets", "show", "nope", cwd=two)
    assert code == 1 and "There are: default, keys." in err


def test_default_is_used_by_the_other_commands(two):
    run("sets", "default", "keys", cwd=two, check=0)
    assert json.loads(run("search", "rotate", "--json", cwd=two, check=0)[1])["set"] == "keys"
    assert json.loads(run("index", "docs/keys.md", "--json", cwd=two, check=0)[1])["set"] == "keys"
    assert run("sets", "default", "--unset", cwd=two, check=0)[1] == "default\n"
    assert json.loads(run("search", "rotate", "--json", cwd=two, check=0)[1])["set"] == "default"
    assert run("sets", "default", "keys", "--unset", cwd=two)[0] == 2


def test_rename(two):
    run("sets", "rename", "keys", "secrets", cwd=two, check=0)
    assert "secrets" in run("sets", "list", cwd=two, check=0)[1]
    code, _, err = run("sets", "rename", "secrets", "default", cwd=two)
    assert code == 2 and "there is a set 'default' already" in err


def test_delete_asks(two):
    code, _, err = run("sets", "delete", "keys", cwd=two)
    assert code == 2 and "embassay sets delete keys --yes" in err
    gone = json.loads(run("sets", "delete", "keys", "--yes", "--json", cwd=two, check=0)[1])
    assert gone == {"set": "keys", "documents": 1, "chunks": gone["chunks"]}
    assert run("search", "rotate", "--set", "keys", cwd=two)[0] == 1
    assert run("sets", "delete", "keys", "--yes", cwd=two)[0] == 1


def test_no_home_yet(tmp_path):
    for command in (["list"], ["show"], ["default"], ["delete", "x", "--yes"], ["rename", "x", "y"]):
        code, _, err = run("sets", *command, cwd=tmp_path)
        assert code == 1 and "no .embassay/" in err


def test_excluded_files_stay_out_and_cost_leaves_them_out_too(indexed):
    run("index", "docs", "--exclude", "keys.md", cwd=indexed, check=0)
    _, out, _ = run("index", "docs", cwd=indexed, check=0)
    assert "Skipped 1 file: excluded by keys.md." in out
    assert "keys.md" in run("sets", "show", cwd=indexed, check=0)[1]
    whole, less = (
        json.loads(run("cost", "docs", "-m", "../model", "--json", *more, cwd=indexed, check=0)[1])["models"][0]
        for more in ((), ("--exclude", "keys.md"))
    )
    assert less["documents"] == whole["documents"] - 1
    made = ("judge", "new", "docs", "--out", "judged", "--by", "heading", "--json")
    whole = json.loads(run(*made, cwd=indexed, check=0)[1])
    (indexed / "embassay.yaml").write_text("exclude: [keys.md]\n")
    less = json.loads(run(*made, "--force", cwd=indexed, check=0)[1])
    assert less["documents"] == whole["documents"] - 1
    code, _, err = run("index", "docs", "--include", "nope", cwd=indexed)
    assert code == 2 and "It leaves out: keys.md." in err


def test_a_default_that_is_not_there_is_said_to_be_so(indexed):
    for name in ("a", "b"):
        run("index", "docs", "--set", name, "--model", "../model", cwd=indexed, check=0)
    _, _, told = run("sets", "default", cwd=indexed, check=0)
    assert not told
    run("sets", "delete", "default", "--yes", cwd=indexed, check=0)
    _, out, told = run("sets", "default", "--json", cwd=indexed, check=0)
    assert json.loads(out) == {"set": "default", "exists": False}
    assert "no set 'default' yet" in told
