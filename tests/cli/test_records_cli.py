"""`embassay add`, `ls` and `delete` as people and programs see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cli.test_cli import run

RECORDS = [
    {"sku": str(n), "body": f"Key number {n} is rotated at night.", "lang": "de" if n % 2 else "en"} for n in range(6)
]


def lines(records) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


def add(*arguments, cwd, stdin=b"", check=None):
    return run("add", *arguments, "--set", "faq", cwd=cwd, stdin=stdin, check=check)


@pytest.fixture
def faq(project):
    (project / "faq.jsonl").write_bytes(lines(RECORDS))
    add("faq.jsonl", "--id-field", "sku", "--model", "../model", cwd=project, check=0)
    return project


def report(*arguments, cwd, stdin=b"", check=0):
    return json.loads(add(*arguments, "--json", cwd=cwd, stdin=stdin, check=check)[1])


def test_added_once_and_found(faq):
    again = report("faq.jsonl", "--id-field", "sku", cwd=faq)
    assert set(again) == {
        "set", "rows", "new", "changed", "unchanged", "differing", "left_out", "reasons", "written", "notices",
    }  # fmt: skip
    assert (again["rows"], again["unchanged"], again["written"]["embedded"]) == (6, 6, 0)
    hits = json.loads(run("search", "key 3", "--set", "faq", "--where", 'lang = "de"', "--json", cwd=faq, check=0)[1])
    assert {hit["path"] for hit in hits["hits"]} == {"1", "3", "5"}


def test_a_changed_record_needs_upsert(faq):
    changed = lines([{"sku": "1", "body": "Another text."}, {"sku": "9", "body": "New."}])
    code, out, _ = add("-", "--id-field", "sku", cwd=faq, stdin=changed)
    assert code == 3 and "1 new" in out and "the set has another record of this id, '1'" in out and "--upsert" in out
    done = report("-", "--id-field", "sku", "--upsert", cwd=faq, stdin=changed)
    assert (done["changed"], done["unchanged"], done["written"]["updated"]) == (1, 1, 1)


def test_what_makes_no_record_is_told_and_the_rest_is_added(project):
    data = (
        lines([{"id": 1, "text": "One."}, {"text": "No id."}, {"id": 2, "text": " "}])
        + b"nope\n"
        + lines([{"id": 1, "text": "Again."}, {"id": 3, "text": "Three."}])
    )
    found = report("-", "--model", "../model", cwd=project, stdin=data, check=3)
    assert (found["rows"], found["new"], found["left_out"]) == (6, 2, 4)
    reasons = [one["reason"] for one in found["reasons"]]
    assert reasons[0].startswith("line 2: no id") and reasons[1] == "line 3: no text in 'text'"
    assert reasons[2].startswith("line 4 is not JSON") and reasons[3] == "line 5: the id '1' came before, in line 1"


def test_dry_run_writes_nothing(project):
    (project / "a.csv").write_text("id,text\n1,One\n2,Two\n")
    counted = report("a.csv", "--dry-run", cwd=project)
    assert (counted["new"], counted["written"]) == (2, None)
    assert not (project / ".embassay").exists()


def test_several_files_and_formats(project):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": [10, 11], "text": ["ten", "eleven"], "n": [1, 2]}), project / "a.parquet")
    (project / "a.csv").write_text("id;text\n1;One\n2;Two\n")
    (project / "a.json").write_text('[{"id": 3, "text": "Three"}]')
    found = report("a.parquet", "a.csv", "a.json", "--model", "../model", cwd=project)
    assert found["new"] == 5
    listed = json.loads(run("ls", "faq", "--json", cwd=project, check=0)[1])["documents"]
    assert [one["id"] for one in listed] == ["1", "10", "11", "2", "3"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nope.jsonl"], "no such file"), (["docs"], "index takes folders"), (["docs/keys.md"], "no file of records"),
     (["-", "-"], "twice"), (["-", "--format", "cvs"], "did you mean 'csv'")],
)  # fmt: skip
def test_wrong_usage(project, arguments, said):
    code, _, err = add(*arguments, cwd=project, stdin=b"x")
    assert code == 2 and said in err.lower()
    assert not (project / ".embassay").exists()


def test_ls(faq):
    _, out, _ = run("ls", "faq", cwd=faq, check=0)
    assert len(out.splitlines()) == 6 and out.split()[0] == "ok"
    _, out, _ = run("ls", "faq", "[x", cwd=faq, check=0)
    assert out == ""
    _, out, _ = run("ls", "faq", "3", "--chunks", cwd=faq, check=0)
    assert len(out.splitlines()) == 2 and "Key number 3 is rotated" in out
    found = json.loads(run("ls", "faq", "--where", 'lang = "de"', "--chunks", "--json", cwd=faq, check=0)[1])
    assert [one["id"] for one in found["documents"]] == ["1", "3", "5"]
    first = found["documents"][0]
    assert set(first) == {"id", "path", "title", "chunks", "tokens", "state", "waits", "metadata", "chunk_list"}
    assert set(first["chunk_list"][0]) == {"key", "lines", "span", "section", "tokens", "text"}


def test_ls_of_files_shows_those_that_failed(indexed):
    (indexed / "docs" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    run("index", "docs", cwd=indexed, check=3)
    _, out, _ = run("ls", "--state", "failed", cwd=indexed, check=0)
    assert out.split() == ["failed", "0", "0", "docs/broken.pdf"]
    code, _, err = run("ls", "--state", "bad", cwd=indexed)
    assert code == 2 and "ok, pending, failed" in err


def test_a_run_that_only_removes_says_nothing_on_stderr(indexed):
    (indexed / "docs" / "notes.txt").unlink()
    _, out, err = run("index", "docs", cwd=indexed, check=0)
    assert "1 removed" in out and err == ""


def test_ls_ends_well_where_nobody_reads_on(project):
    add("-", "--model", "../model", cwd=project, stdin=lines({"id": n, "text": f"t{n}"} for n in range(6000)), check=0)
    command = f"{sys.executable} -m embassay.cli.main ls faq | head -2"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, capture_output=True, text=True, check=True, env=os.environ
    )
    assert len(done.stdout.splitlines()) == 2 and done.stderr == ""


def test_delete_by_id(faq):
    code, _, err = run("delete", "faq", "--id", "1", cwd=faq)
    assert code == 2 and "nobody is here to say yes" in err
    _, out, _ = run("delete", "faq", "--id", "1", "--id", "nope", "--yes", cwd=faq, check=0)
    assert out == "Deleted 1 document, 1 chunk, from faq.\nNot there: nope.\n"
    assert len(run("ls", "faq", cwd=faq, check=0)[1].splitlines()) == 5
    assert "Deleted 0 documents" in run("delete", "faq", "--id", "1", cwd=faq, check=0)[1], "nothing to agree to"


def test_delete_by_filter(faq):
    dry = json.loads(run("delete", "faq", "--where", 'lang = "de"', "--dry-run", "--json", cwd=faq, check=0)[1])
    assert dry == {"set": "faq", "dry_run": True, "documents": 3, "chunks": 3, "files": 0, "unknown": [], "notices": []}
    run("delete", "faq", "--where", 'lang = "de"', "--yes", cwd=faq, check=0)
    assert len(run("ls", "faq", cwd=faq, check=0)[1].splitlines()) == 3


def test_delete_a_folder_leaves_it_on_the_disk(indexed):
    _, out, _ = run("delete", "default", "--path", "docs/network/**", "--yes", cwd=indexed, check=0)
    assert "stay on the disk" in out and (indexed / "docs" / "network").is_dir()
    run("index", "docs", cwd=indexed, check=0)
    assert "docs/network" not in run("ls", cwd=indexed, check=0)[1]
    run("index", "docs/network", cwd=indexed, check=0)
    assert "docs/network" in run("ls", cwd=indexed, check=0)[1]


def test_delete_says_which(faq):
    for arguments in ([], ["--id", "1", "--path", "x"]):
        assert run("delete", "faq", *arguments, "--yes", cwd=faq)[0] == 2


def test_a_field_that_is_no_metadata_is_told_and_its_record_added(project):
    data = lines([{"id": 1, "text": "One.", "embedding": [0.5] * 384, "tags": ["a", "b"], "by": {"name": "Ann"}}])
    done = report("-", "--model", "../model", cwd=project, stdin=data)
    assert (done["new"], done["left_out"]) == (1, 0)
    assert [one["reason"] for one in done["reasons"]] == [
        "line 1: the field 'embedding' has 384 numbers, which are left out"
    ]
    where = 'tags = "b" and by.name = "Ann" and not embedding exists'
    out = run("search", "one", "--set", "faq", "--where", where, "--json", cwd=project, check=0)[1]
    (hit,) = json.loads(out)["hits"]
    assert hit["metadata"] == {"tags": ["a", "b"], "by": {"name": "Ann"}}
    assert (hit["document"], hit["span"]) == ("1", [0, 4]) and len(hit["id"]) == 32


@pytest.mark.parametrize("command", [("search", "key", "--set", "faq"), ("ls", "faq"), ("delete", "faq", "--yes")])
def test_a_filter_that_names_an_unknown_field_says_so(faq, command):
    where = ("--where", 'langg = "de"')
    _, out, err = run(*command, *where, cwd=faq, check=0)
    assert "No chunk of the set 'faq' has the field 'langg'. Did you mean 'lang'?" in err and "langg" not in out
    notices = json.loads(run(*command, *where, "--json", cwd=faq, check=0)[1])["notices"]
    assert notices == ["No chunk of the set 'faq' has the field 'langg'. Did you mean 'lang'?"]


@pytest.mark.parametrize("how", [("nothing",), ("nothing", "--chunks"), ("nothing", "--where", 'lang = "de"')])
def test_a_glob_that_matches_nothing_says_so(faq, how):
    code, out, err = run("ls", "faq", *how, cwd=faq)
    assert (code, out) == (0, "") and "has a path that matches 'nothing'" in err
    told = json.loads(run("ls", "faq", *how, "--json", cwd=faq, check=0)[1])
    assert told["documents"] == [] and "'nothing'" in told["notices"][0]


def test_nothing_in_a_state_and_nothing_to_delete_say_so(faq):
    assert "the state 'failed'" in run("ls", "faq", "--state", "failed", cwd=faq, check=0)[2]
    code, out, err = run("delete", "faq", "--path", "nothing", "--yes", cwd=faq)
    assert code == 0 and "Deleted 0 documents" in out and "has a path that matches 'nothing'" in err


def test_every_row_that_is_left_out_has_its_line_and_its_file(project):
    (project / "a.jsonl").write_bytes(lines([{"id": "1", "text": "One."}, {"id": "x\ny", "text": "A bad id."}]))
    (project / "b.jsonl").write_bytes(lines([{"id": "1", "text": "Again."}, {"id": "2", "text": "Two.", "v": "none"}]))
    told = report("a.jsonl", "b.jsonl", "--model", "../model", cwd=project, check=3)
    assert [(one["path"], one["reason"]) for one in told["reasons"]] == [
        ("a.jsonl", "line 2: an id has at most 1,000 characters, all of them printable."),
        ("b.jsonl", "line 1: the id '1' came before, in line 1 of a.jsonl"),
    ]
    told = report("b.jsonl", "--vector-field", "v", "--dry-run", cwd=project, check=3)
    assert told["reasons"][1]["reason"].startswith("line 2: record '2': its vector must be")


@pytest.mark.parametrize("options", [[], ["--id", "1", "--path", "x"]])
def test_what_to_delete_is_said_by_one_option(indexed, options):
    _, _, err = run("delete", "default", *options, cwd=indexed, check=2)
    assert "exactly one of --id, --where and --path" in err
