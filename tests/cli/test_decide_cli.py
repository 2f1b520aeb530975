"""Decision trees from the command line: for programs, for people, and for people who are asked."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tests.cli.test_cli import run

LONGEST = 80
"""Columns of the terminal."""


def test_json_accounts_for_every_model(tmp_path):
    cards = json.loads(run("models", "list", "--json", cwd=tmp_path, check=0)[1])
    _, out, err = run("models", "decide", "--tree", "rag", "--code", "--json", cwd=tmp_path, check=0)
    found = json.loads(out)
    assert not err and set(found) == {
        "tree", "about", "steps", "leaf", "models", "not_named", "then", "remarks", "next", "undecided", "malformed",
    }  # fmt: skip
    assert set(found["steps"][0]) == {"name", "says", "answer", "how", "excluded", "unknown", "left"}
    named = [model["id"] for model in found["models"]]
    excluded = [one["id"] for step in found["steps"] for one in step["excluded"]]
    assert {*excluded, *named, *found["not_named"]} == {card["id"] for card in cards}
    assert any("superseded by voyage/voyage-code-3" in remark for remark in found["models"][0]["remarks"])


def test_a_table_of_ones_own_names_its_bad_lines(tmp_path):
    (tmp_path / "models.csv").write_text(
        "model,downloads,updated,domain,language,size\na/b,2M,2024-01-01,general,en,90\na/c,many,2024-01-01,general,en,90\n"
    )
    _, out, err = run("models", "decide", "--tree", "funnel", "--from", "models.csv", cwd=tmp_path, check=0)
    assert "a/b  2,000,000 downloads" in out
    assert "line 3: 'many' is no number of downloads" in err
    found = json.loads(run("models", "decide", "--tree", "funnel", "--from", "models.csv", "--json", cwd=tmp_path)[1])
    assert [model["id"] for model in found["models"]] == ["a/b"] and found["malformed"][0]["line"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tree", "rga"], "Did you mean 'rag'?"),
        (["--tree", "rag", "--storage"], "does not ask 'storage'"),
        (["--tree", "rag", "--use-case", "legl"], "Did you mean 'legal'?"),
        (["--tree", "funnel", "--from", "none.csv"], "cannot be read"),
        (["--tree", "rag", "--chunk-tokens", "-3"], "must be a number from 0"),
        ([], "--tree"),
    ],
)
def test_wrong_usage(tmp_path, arguments, words):
    _, out, err = run("models", "decide", *arguments, cwd=tmp_path)
    assert words in out + err


def test_nobody_is_asked_where_stdin_is_no_terminal(tmp_path):
    _, out, _ = run("models", "decide", "--tree", "rag", cwd=tmp_path, check=0)
    assert "no (default)" in out and "BGE-large or text-embedding-3-small" in out


def test_on_a_terminal_each_question_is_asked(tmp_path):
    """A question that an option answers is not; what is no answer is asked again; Enter takes the default."""
    replies = {"privacy": ["maybe", "n"], "several languages": [""], "mostly code": ["n"], "How many tokens": ["x", "300"],
               "cost": [""], "quality": ["y"]}  # fmt: skip
    shown = played(tmp_path, ["--tree", "rag"], replies)
    assert "E5-mistral-7b or voyage-large-2" in shown
    assert "no (asked)" in shown and "no (default)" in shown and "300 tokens (asked)" in shown
    assert all(len(line) <= LONGEST for line in shown.splitlines() if "embassay compare" not in line)
    assert not any(replies.values()), "every reply was asked for"
    shown = played(tmp_path, ["--tree", "rerank", "--no-llm-rerank"], {"storage": ["y"]})
    assert "language model" in shown and "no (given)" in shown and "a Matryoshka model: nomic or mxbai" in shown


def played(folder, arguments, replies) -> str:
    """What a terminal of 80 columns shows of the command; each question is answered with the next of its replies."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "embassay.cli.main", "models", "decide", *arguments]
    env = {**os.environ, "COLUMNS": str(LONGEST), "NO_COLOR": "1", "TERM": "dumb"}
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown, seen, until = "", 0, time.monotonic() + 120
    while time.monotonic() < until:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(ours, 65536).decode()
        except OSError:  # the other end is closed
            break
        waiting = shown[seen:]
        if waiting.rstrip().endswith("]:"):
            said = next(words.pop(0) for key, words in replies.items() if key in waiting and words)
            seen = len(shown)
            os.write(ours, f"{said}\n".encode())
    os.close(ours)
    assert process.wait(30) == 0, shown
    return shown.replace("\r\n", "\n")
