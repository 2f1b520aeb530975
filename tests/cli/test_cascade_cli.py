"""`migrate --probe` and `search --cascade`, from the command line."""

from __future__ import annotations

import json

import pytest

import embassay
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run

ROWS = [{"id": f"d{n}", "text": f"number {n} is about word{n} and word{n + 1}"} for n in range(30)]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A set of records, and judged queries about it."""
    monkeypatch.chdir(tmp_path)
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("docs").upsert(ROWS, model="hash/64")
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": r["id"], "text": r["text"]}) for r in ROWS))
    queries = [{"_id": f"q{n}", "text": f"word{n} word{n + 1}"} for n in range(25)]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(25))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return tmp_path


def test_a_probe(made):
    asked = "migrate", "docs", "--to", "hash/128", "--probe", "judged"
    found = json.loads(run(*asked, "--json", cwd=made, check=0)[1])
    assert found["set"] == "docs" and found["chunks"] == found["embedded"] == 30
    assert [row["name"] for row in found["comparison"]["candidates"]] == ["stay", "cascade", "re-index"]
    _, shown, _ = run(*asked, cwd=made, check=0)
    assert "cascade, a query" in shown
    with embassay.open(made / ".embassay") as home:
        assert home._sets.state.set("docs").building is None


@pytest.mark.parametrize("options", [[], ["--to", "hash/128", "--pca", "8"], ["--status"]])
def test_a_probe_is_of_another_model(made, options):
    assert run("migrate", "docs", "--probe", "judged", *options, cwd=made)[0] == 2


def test_a_cascade(made):
    _, out, err = run("search", "word7", "--cascade", cwd=made, check=0)
    assert "is not being migrated" in err and "rescored" not in out
    with embassay.open(made / ".embassay") as home:
        begin(home._sets, "docs", MigrationTarget.of("hash/128"))
    asked = "search", "word7", "--cascade", "--cascade-budget-ms", "60000"
    _, out, _ = run(*asked, cwd=made, check=0)
    assert "cascade: 30 candidates rescored in" in out
    found = json.loads(run(*asked, "--json", cwd=made, check=0)[1])["cascade"]
    assert (found["exact"], found["embedded"], found["left"]) == (0, 30, 0)
    assert run("search", "word7", "--cascade-budget-ms", "5", cwd=made)[0] == 2
    by_words = run("search", "word7", "--cascade", "--mode", "lexical", "--json", cwd=made, check=0)[1]
    assert json.loads(by_words)["cascade"]["space"] == found["space"]
