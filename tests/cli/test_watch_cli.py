"""`embassay watch` as people and programs see it: a line an update, until a signal ends it softly."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.cli.test_cli import run


class Watch:
    """The command at work in a process of its own."""

    def __init__(self, project, *arguments):
        command = [sys.executable, "-m", "embassay.cli.main", "watch", *arguments]
        self.process = subprocess.Popen(
            command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip

    def line(self) -> str:
        return self.process.stdout.readline()

    def until(self, part: str) -> str:
        while part not in (line := self.line()):
            assert line, self.process.stderr.read()
        return line

    def ended(self, number: int | None = None) -> tuple[int, str, str]:
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        assert "Traceback" not in out + err, err
        return self.process.returncode, out, err


@pytest.fixture
def watch(project):
    begun = []

    def begin(*arguments):
        begun.append(Watch(project, *arguments))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.communicate()


def test_a_line_for_each_update(watch, project):
    watching = watch("docs", "-m", "hash/64")
    assert re.fullmatch(r"\d\d:\d\d:\d\d Watching .*docs for set default\.\n", watching.line())
    assert re.search(r" 5 files read, \d+ chunks embedded in .* s; default holds \d+\.$", watching.line())
    (project / "docs/new.md").write_text("# Zebras\n\nThey have stripes.\n")
    assert "1 file read, 1 chunk embedded" in watching.until("file read")
    assert "docs/new.md" in run("search", "zebras", "--mode", "lexical", cwd=project, check=0)[1]
    code, _, err = watching.ended(signal.SIGINT)
    assert (code, err) == (130, "embassay: stopped watching; the set holds what was told.\n")


def test_lines_of_json_without_a_path(watch, project):
    run("index", "docs", "--set", "manual", "-m", "hash/64", cwd=project, check=0)
    (project / "docs/keys.md").unlink()
    watching = watch("--set", "manual", "--json", "--poll", "0.1")
    first, second = json.loads(watching.line()), json.loads(watching.line())
    assert set(first) == {"time", "event", "set", "paths", "by", "why"} and first["by"] == "polling"
    assert set(second) == {
        "time", "event", "changes", "set", "space", "space_digest", "language", "files", "removed", "embedded", "cached",
        "chunks", "waiting", "usd", "seconds", "quarantined",
    }  # fmt: skip
    assert (second["event"], second["set"], second["removed"]) == ("updated", "manual", 1)
    (project / "docs/bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    assert json.loads(watching.until("bad.pdf"))["quarantined"][0]["path"] == "docs/bad.pdf"
    code, out, _ = watching.ended(signal.SIGTERM)
    assert code == 143 and json.loads(out.splitlines()[-1])["error"]["code"] == "interrupted"


def test_it_is_stopped_in_a_run(watch, project):
    """What was embedded is kept."""
    for i in range(2000):
        (project / "docs" / f"{i}.md").write_text(f"# Page {i}\n\n" + f"Text of {i}.\n\n" * 20)
    watching = watch("docs", "-m", "../model")
    watching.until("Watching")
    code, _, _ = watching.ended(signal.SIGINT)
    assert code == 130
    assert run("index", "docs", "-m", "../model", cwd=project)[0] == 0


def test_what_cannot_be_watched(project):
    code, _, err = run("watch", "nowhere", cwd=project)
    assert code == 2 and "nowhere: no such file or folder" in err
    code, _, err = run("watch", cwd=project)
    assert code == 1 and "embassay index FOLDER" in err
    code, _, err = run("watch", "docs", "--poll", "0", "-m", "hash/64", cwd=project)
    assert code == 2 and "poll is 0" in err


def test_a_warning_is_told_when_it_comes_up(watch, project):
    """Nobody waits for the end of a watch."""
    settings = project / "embassay.yaml"
    settings.write_text("embeddings: {models: {old: {provider: hash, model_id: '64'}}}\n")
    run("index", "docs", "-m", "old", cwd=project, check=0)
    run("migrate", "default", "--to", "hash/128", cwd=project, check=0)
    run("switch", "default", cwd=project, check=0)
    settings.unlink()
    watching = watch("docs")
    watching.until("read")
    (project / "docs/new.md").write_text("# Zebras\n\nThey have stripes.\n")
    watching.until("1 file read")
    assert "documents wait for old" in watching.process.stderr.readline()
    assert watching.ended(signal.SIGINT)[2] == "embassay: stopped watching; the set holds what was told.\n"
