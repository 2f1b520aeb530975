"""Two processes at one set, judged sets that contradict, and names of no set: a named error with the next command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from embassay.embedders.providers.hash import hashed
from tests.cli.test_cli import run
from tests.servers import Answer, openai_body, serving

COUNT = 200
RECORDS = [{"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."} for n in range(COUNT)]
ENTRY = [sys.executable, "-m", "embassay.cli.main"]


def written(folder, records):
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, records)))


@pytest.fixture
def project(tmp_path):
    written(tmp_path, RECORDS)
    run("add", "rows.jsonl", "--set", "docs", "--model", "hash/64", cwd=tmp_path, check=0)
    return tmp_path


def started(project, *arguments):
    return subprocess.Popen(
        [*ENTRY, *arguments], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process):
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return process.returncode, out, err


def status(project, name="docs"):
    return json.loads(run("migrate", name, "--status", "--json", cwd=project, check=0)[1])


def happened(project, name="docs"):
    said = json.loads(run("log", name, "--json", cwd=project, check=0)[1])["history"]
    return [one["what"] for one in said]


def waited(found, seconds=60.0):
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


def test_of_two_at_once_one_does_it_and_the_other_says_why_not(project):
    two = [started(project, "migrate", "docs", "--to", f"hash/{size}", "--rate", "300/s") for size in (128, 256)]
    codes = sorted((code, err) for code, _, err in map(ended, two))
    assert [code for code, _ in codes] == [0, 1]
    assert "embassay migrate docs --status" in codes[1][1]
    assert status(project)["state"] == "ready"
    codes = sorted((code, err) for code, _, err in map(ended, [started(project, "switch", "docs") for _ in range(2)]))
    assert [code for code, _ in codes] == [0, 1] and "embassay rollback docs" in codes[1][1]
    assert happened(project).count("switched") == 1 and happened(project).count("migration planned") == 1


def test_of_two_rollbacks_at_once_each_is_done_whole_or_refused(project):
    run("migrate", "docs", "--to", "hash/128", cwd=project, check=0)
    run("switch", "docs", cwd=project, check=0)
    codes = [code for code, _, _ in map(ended, [started(project, "rollback", "docs") for _ in range(2)])]
    done = codes.count(0)
    assert done and happened(project).count("rolled back") == done
    live = json.loads(run("sets", "show", "docs", "--json", cwd=project, check=0)[1])
    assert live["model"] == ("hash/64" if done == 1 else "hash/128") and live["chunks"] == COUNT


@pytest.fixture
def slow(tmp_path):
    """A hosted model that takes its time for a request, for the configuration of a project."""

    def handle(request):
        time.sleep(0.25)
        asked = request.json
        wants = asked.get("encoding_format") == "base64"
        return Answer(openai_body(hashed(asked["input"], 64), base64=wants))

    with serving(handle) as server:
        configured(tmp_path, server, "slow")
        yield "slow"


def configured(project, server, name):
    (project / "embassay.yaml").write_text(
        f"embeddings: {{models: {{{name}: {{provider: openai, model_id: m, base_url: '{server.url}/v1', api_key: k, "
        "max_tokens: 512, batch_size: 8, concurrency: 1, revision: '1'}}}\n"
    )


def test_a_set_that_is_migrated_is_not_renamed_and_not_deleted_and_is_given_up(project, slow):
    working = started(project, "migrate", "docs", "--to", slow)
    waited(lambda: json.loads(run("migrate", "docs", "--status", "--json", cwd=project)[1]).get("at_work"))
    for command in (("sets", "rename", "docs", "other"), ("sets", "delete", "docs", "--yes")):
        code, _, told = run(*command, cwd=project)
        assert code == 1 and "embassay migrate docs --pause" in told
    said = json.loads(run("migrate", "docs", "--abort", "--json", cwd=project, check=0)[1])
    assert said == {"set": "docs", "state": "aborted", "removed": True}
    code, _, told = ended(working)
    assert code == 1 and re.search("is (aborted|gone)", told)
    assert len([*(project / ".embassay" / "vectors").glob("*.lance")]) == 1
    run("sets", "rename", "docs", "other", cwd=project, check=0)


def test_a_switch_and_a_rollback_wait_for_an_index_run_and_lose_nothing_of_it(project, slow):
    run("migrate", "docs", "--to", "hash/128", cwd=project, check=0)
    run("add", "rows.jsonl", "--set", "served", "--model", slow, cwd=project, check=0)
    run("migrate", "served", "--to", "hash/128", cwd=project, check=0)
    for verb, word in (("switch", "turning"), ("rollback", "spinning")):
        written(project, [{**one, "text": one["text"].replace("rotating", word)} for one in RECORDS])
        writing = started(project, "add", "rows.jsonl", "--set", "served", "--upsert")
        time.sleep(1.5)
        run(verb, "served", cwd=project, check=0)
        assert ended(writing)[0] == 0
        for _ in ("the one that was gone to", "the other one"):
            said = run("search", f"{word} 17", "--set", "served", "-k", "1", "--json", cwd=project, check=0)[1]
            assert word in json.loads(said)["hits"][0]["text"]
            run("rollback", "served", cwd=project, check=0)
    assert run("doctor", cwd=project)[0] == 0


@pytest.fixture
def oracle(tmp_path):
    """A hosted model for which two texts are alike that speak of one number, by whatever words."""

    def meaning(text):
        found = re.search(r"\d+", text)
        return f"number {int(found[0]) % 1000}" if found else text

    def handle(request):
        if request.method == "GET":
            return Answer({"object": "list", "data": [{"id": "m", "object": "model"}]})
        asked = request.json
        vectors = np.stack([hashed([meaning(text)], 64)[0] for text in asked["input"]])
        return Answer(openai_body(vectors, base64=asked.get("encoding_format") == "base64"))

    with serving(handle) as server:
        configured(tmp_path, server, "oracle")
        yield "oracle"


@pytest.fixture
def judged(tmp_path):
    """Questions that only the oracle understands."""
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    corpus = [json.dumps({"_id": one["id"], "text": one["text"]}) for one in RECORDS]
    (folder / "corpus.jsonl").write_text("\n".join(corpus))
    queries = [json.dumps({"_id": f"q{n}", "text": f"which one is {n + 1000}"}) for n in range(40)]
    (folder / "queries.jsonl").write_text("\n".join(queries))
    lines = ["query-id\tcorpus-id\tscore", *(f"q{n}\tr{n}\t1" for n in range(40))]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines))
    return folder


def test_a_judged_set_that_contradicts_stops_it_and_force_is_written_down(project, oracle, judged):
    run("add", "rows.jsonl", "--set", "good", "--model", oracle, cwd=project, check=0)
    code, out, told = run("migrate", "good", "--to", "hash/128", "--gate", "judged", cwd=project)
    assert code == 4, out + told
    assert "keep: nDCG@10 is 1.000 live" in " ".join(out.split()) and "--abort" in out
    found = status(project, "good")
    quality = next(one for one in found["report"]["checks"] if one["name"] == "quality")
    assert found["state"] == "failed" and quality["figures"]["verdict"] == "keep" and not quality["passed"]
    code, _, told = run("switch", "good", cwd=project)
    assert code == 1 and "keep: nDCG@10" in told and "--resume" in told
    assert run("migrate", "good", "--resume", cwd=project)[0] == 4, "by the judged set that it was begun with"
    judged.rename(project / "elsewhere")
    code, _, told = run("migrate", "good", "--resume", cwd=project)
    assert code == 2 and "embassay migrate good --resume --gate FOLDER" in told
    assert run("migrate", "good", "--resume", "--gate", "elsewhere", cwd=project)[0] == 4
    code, _, told = run("switch", "good", "--force", cwd=project)
    assert code == 2 and "--why" in told
    run("switch", "good", "--force", "--why", "an old release", cwd=project, check=0)
    last = json.loads(run("log", "good", "--json", cwd=project, check=0)[1])["history"][0]
    assert last["detail"]["why"] == "an old release" and last["detail"]["who"]
    assert last["detail"]["forced"]["state"] == "failed" and "keep" in last["detail"]["forced"]["reason"]
    assert "forced" in run("log", "good", cwd=project, check=0)[1]
    assert status(project, "good")["reason"] == ""


def test_a_judged_set_that_agrees_lets_it_be_ready(project, oracle, judged):
    code, out, told = run("migrate", "docs", "--to", oracle, "--gate", "judged", cwd=project)
    assert code == 0, out + told
    quality = next(one for one in status(project)["report"]["checks"] if one["name"] == "quality")
    assert code == 0 and quality["figures"]["verdict"] == "switch" and "embassay switch docs" in out


def test_a_judged_set_that_is_none_begins_nothing(project):
    (project / "empty").mkdir()
    (project / "garbage" / "qrels").mkdir(parents=True)
    for file in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (project / "garbage" / file).write_bytes(os.urandom(2000))
    for folder in ("nowhere", "empty", "garbage", "rows.jsonl"):
        code, _, told = run("migrate", "docs", "--to", "hash/128", "--gate", folder, cwd=project)
        assert code == 2 and folder in told and "Traceback" not in told
    assert run("migrate", "docs", "--status", cwd=project)[0] == 1
    assert len([*(project / ".embassay" / "vectors").glob("*.lance")]) == 1


NAMES = ["../docs", "a/b", "..", "x" * 300, ".", "", "\n", "docs\u202e"]
CALLS = [
    ("migrate", "NAME", "--to", "hash/128"),
    ("migrate", "NAME", "--status"),
    ("migrate", "NAME", "--resume"),
    ("switch", "NAME"),
    ("rollback", "NAME"),
    ("log", "NAME"),
    ("relink", "NAME", "--to", "hash/64"),
    ("export", "NAME", "out"),
    ("import", "out", "--set", "NAME"),
    ("sets", "create", "NAME"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A project with a set and an export of it, in a folder of its own; made once."""
    folder = tmp_path_factory.mktemp("names") / "project"
    folder.mkdir()
    written(folder, RECORDS[:5])
    run("add", "rows.jsonl", "--set", "docs", "--model", "hash/64", cwd=folder, check=0)
    run("export", "docs", "out", cwd=folder, check=0)
    return folder


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_names_that_no_set_can_have_are_refused_by_every_verb(place, call, monkeypatch, capsys):
    """In this process, because there are many; NUL cannot be typed, and is held against the verbs of Python."""
    from embassay.cli import main as entry

    monkeypatch.chdir(place)
    before = sorted(str(path) for path in place.parent.rglob("*") if not path.name.startswith(("state.db", "cache")))
    for name in NAMES:
        arguments = [name if part == "NAME" else part for part in call]
        monkeypatch.setattr(sys, "argv", ["embassay", *arguments])
        with pytest.raises(SystemExit) as left:
            entry.main()
        said = capsys.readouterr().err
        assert left.value.code in (1, 2) and said.strip() and "unexpected" not in said, (name, said)
    after = sorted(str(path) for path in place.parent.rglob("*") if not path.name.startswith(("state.db", "cache")))
    assert after == before
