"""Hostile values for every option and argument of every command: told in one line, with an exit code of the table."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import embassay
from embassay.cli import main as entry
from embassay.cli.exits import ExitCode
from tests.cli.test_cli import command_names

NUMBERS = [
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "9" * 30,
    "-" + "9" * 30,
    "²",
    "٣",
    "1e308",
    "",
    " ",
    "0x10",
    "9" * 5000,
]
TEXTS = [
    "", " ", "\0", "a\0b", "~nouser", "~nouser/x", "/no/such", "²", "hash/²", "hash/٣٤", "hash/-1", "hash/" + "9" * 5000,
    "hash/64@dims=" + "9" * 5000, "hash/64@dims=²", "x" * 5000, "a/" + "b" * 5000, "/" + "y/" * 3000, "\ud800", "\x1b[31m",
    "\u202e", "nan", "-", "--", "@", "@int8", "a@b@c", "(" * 3000, "[" * 3000, "not " * 3000 + "a = 1", "a in (" + "1," * 300,
    "dense(²)", "dense(" + "9" * 5000 + ")", "top(nan)", "nDCG@²", "nDCG@" + "9" * 5000, "nDCG@-1", "drop <= nan", "R@10 >= 1e400",
    "%s%n", "{0}", "${HOME}", "file:", "file:///etc/passwd", "http://", "http://[", "/dev/null", "/proc/self/mem",
]  # fmt: skip
"""For whatever is no number: names, paths, queries, filters, pipelines, metrics, addresses."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A project with a set of hash vectors, judged data and files of pairs; made once."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "docs").mkdir()
    (root / "docs" / "a.md").write_text("# Keys\n\nRotate a key with keyctl. Old keys stay valid for a day.\n")
    judged = root / "judged"
    (judged / "qrels").mkdir(parents=True)
    (judged / "corpus.jsonl").write_text('{"_id": "d1", "text": "rotate a key"}\n{"_id": "d2", "text": "a proxy"}\n')
    (judged / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "how to rotate"}\n{"_id": "q2", "text": "which proxy"}\n'
    )
    (judged / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n")
    (root / "questions.txt").write_text("when do keys end\n")
    (root / "pairs.csv").write_text("sentence1,sentence2,score\na,b,1\na,a,5\nc,d,2\n")
    (root / "labels.csv").write_text("text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(12)))
    (root / "embassay.yaml").write_text("embeddings: {default_model: hash/64}\ncache: {path: cache.db}\n")
    return root


MOST = {"bench": 2, "serve": 2, "watch": 3, "models recommend": 4, "judge new": 6, "judge label": 4, "compare": 8}
"""Values for each option of commands that take long; 12 of the others. Which ones, its name decides."""
BENIGN = {
    "index": ["docs", "-m", "hash/64"],
    "search": ["a key"],
    "watch": ["docs", "-m", "hash/64"],
    "serve": ["--port", "0"],
    "challenge": ["--url", "http://127.0.0.1:9"],
    "migrate": ["default", "--to", "hash/32"],
    "switch": ["default"],
    "trial": ["default"],
    "rollback": ["default"],
    "relink": ["default", "--to", "hash/64"],
    "export": ["default", "out"],
    "import": ["out", "--set", "copied"],
    "sets create": ["made", "docs"],
    "embed": ["-m", "hash/64", "-c", "a", "--role", "query"],
    "eval": ["judged", "-m", "hash/64", "--mode", "dense"],
    "compare": ["hash/64", "hash/128", "--judged", "judged"],
    "compress": ["--judged", "judged"],
    "bench": ["hash/64", "--threads", "0"],
    "cost": ["docs", "-m", "hash/64"],
    "judge new": ["docs", "-o", "made", "-n", "2"],
    "judge add": ["judged", "-q", "what", "-r", "d1"],
    "judge check": ["judged"],
    "judge label": ["judged", "hash/64", "hash/128", "--questions", "questions.txt"],
    "similarity pairs": ["pairs.csv", "-m", "hash/64"],
    "similarity labels": ["labels.csv", "labels.csv", "-m", "hash/64"],
    "models show": ["BAAI/bge-small-en-v1.5"],
    "models probe": ["hash/64"],
    "models decide": ["--tree", "rag"],
    "cache prune": ["--max-gb", "1"],
    "cache clear": ["--yes"],
}
"""A call of each command that does something; commands that are not here need no arguments."""


def leaf(name: str) -> typer.core.TyperCommand:
    command = typer.main.get_command(entry.build())
    for part in name.split():
        command = command.commands[part]
    return command


def hostile_calls(name: str):
    """The arguments of a good call with one value replaced or added."""
    good = BENIGN.get(name, [])
    for parameter in leaf(name).params:
        if getattr(parameter, "is_flag", False) or parameter.name == "help":
            continue
        number = parameter.type.name.split()[0] in ("int", "float")
        values = random.Random(f"{name} {parameter.name}").sample(NUMBERS if number else TEXTS, MOST.get(name, 12))
        for value in values:
            if not parameter.opts[0].startswith("-"):
                yield [value, *good[1:]]
            else:
                flags = {*parameter.opts}
                kept = [
                    part for at, part in enumerate(good) if part not in flags and not (at and good[at - 1] in flags)
                ]
                yield [*kept, parameter.opts[0], value]


def told(monkeypatch, capfd, *arguments: str) -> str:
    """What a call comes to, where that is not as it should be; empty where it is."""
    monkeypatch.setattr(sys, "argv", ["embassay", *arguments])
    try:
        entry.main()
    except SystemExit as left:
        code = left.code or 0
    except BaseException as error:
        return f"{type(error).__name__} escaped: {error}"[:200]
    out, err = capfd.readouterr()
    return fault(code, out, err)


RUNS_ON = {"watch", "serve"}
"""Commands that do not end by themselves once they are given what they take: they get a Ctrl-C with their first line."""


def told_by_process(*arguments: str) -> str:
    """The same of a call in a process of its own, for which a terminal can pass the arguments."""
    command = [sys.executable, "-m", "embassay.cli.main", *arguments]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except ValueError:  # NUL, or half a character
        return ""
    with process:
        first = process.stdout.readline()
        if first and '"error"' not in first:  # a call that failed ends by itself
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return fault(process.returncode, first + out, err)


def fault(code: int, out: str, err: str) -> str:
    """What is not as it should be of how a command ended."""
    if code not in {int(known) for known in ExitCode}:
        return f"exit code {code}"
    if "unexpected " in err.replace("unexpected extra argument", "") or "Traceback" in err + out:
        return f"{err[-300:]!r}"
    if code in (ExitCode.FAILED, ExitCode.USAGE) and '"error"' in out[:12]:
        error = json.loads(out, parse_constant=pytest.fail)["error"]
        if not error["message"] or error["code"] == "unexpected":
            return f"{error}"[:300]
    elif out and code != ExitCode.USAGE:
        for line in out.splitlines():
            json.loads(line, parse_constant=pytest.fail)
    return ""


@pytest.mark.parametrize("name", command_names())
def test_hostile_values(name, place, monkeypatch, capfd, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(place, work)
    monkeypatch.chdir(work)
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    if name in (
        "search", "status", "doctor", "embed", "compare", "compress", "migrate", "switch", "trial", "rollback", "relink", "export",
        "import",
    ):  # fmt: skip
        assert told(monkeypatch, capfd, "index", "docs", "-m", "hash/64", "--json") == ""
    if name == "trial":
        assert told(monkeypatch, capfd, "migrate", "default", "--to", "hash/128", "--json") == ""
        assert told(monkeypatch, capfd, "switch", "default", "--trial", "1d", "--judged", "judged", "--json") == ""
        assert told(monkeypatch, capfd, "trial", "default", "--extend", "1d", "--json") == ""
        with embassay.open(".embassay") as home:
            assert home.set("default").trial().state == "running"
    if name == "import":
        assert told(monkeypatch, capfd, "export", "default", "out", "--json") == ""
    wrong = {}
    for arguments in hostile_calls(name):
        call = (*name.split(), "--json", *arguments)
        if said := told_by_process(*call) if name in RUNS_ON else told(monkeypatch, capfd, *call):
            wrong[" ".join(part if len(part) < 40 else f"{part[:20]}… x {len(part)}" for part in arguments)] = said
    assert not wrong, "\n".join(f"{call!r}: {said}" for call, said in wrong.items())
    assert [path.name for path in Path().iterdir() if path.name.startswith("~")] == []
