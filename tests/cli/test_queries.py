"""The query log on the command line: searches by one process, feedback by another, and judged data from both."""

from __future__ import annotations

import json

from tests.cli.test_cli import run

KEPT = {"EMBASSAY_QUERY_LOG__QUERIES": "kept"}


def searched(project, query, **env):
    _, out, _ = run("search", query, "-k", 3, "--json", cwd=project, check=0, env=env or KEPT)
    return json.loads(out)


def test_from_a_search_to_judged_data(indexed):
    found = searched(indexed, "rotate the key")
    _, out, _ = run("feedback", found["id"], "--clicked", 2, "--json", cwd=indexed, check=0)
    noted = json.loads(out)
    assert set(noted) == {
        "id", "asked", "set", "sets", "space_digest", "pipeline", "form", "query", "took_ms", "hits", "feedback",
    }  # fmt: skip
    assert (noted["id"], noted["query"], noted["space_digest"]) == (
        found["id"],
        "rotate the key",
        found["space_digest"],
    )
    assert [hit["document"] for hit in noted["hits"]] == [hit["path"] for hit in found["hits"]]
    second = found["hits"][1]
    place = f"{second['path']}#L{second['lines'][0]}-{second['lines'][1]}"
    assert [(given["kind"], given["document"]) for given in noted["feedback"]] == [("clicked", place)]
    run("queries", "export", "queries.jsonl", cwd=indexed, check=0)
    line = json.loads((indexed / "queries.jsonl").read_text())
    assert line == {"id": found["id"], "query": "rotate the key", "clicked": [place]}
    run("judge", "new", "docs", "--out", "judged", "--from", "queries.jsonl", cwd=indexed, check=0)
    assert json.loads((indexed / "judged" / "queries.jsonl").read_text())["text"] == "rotate the key"


def test_the_last_search(indexed):
    for query in ("first", "second"):
        searched(indexed, query)
    _, out, _ = run("feedback", "--last", "--up", "--document", "docs/app.py", cwd=indexed, check=0)
    assert "second" in out
    _, out, _ = run("queries", "show", cwd=indexed, check=0)
    assert "second" in out and "docs/app.py" in out
    _, out, _ = run("queries", "list", "--json", cwd=indexed, check=0)
    listed = json.loads(out)
    assert (listed["query_log"], listed["count"]) == ("off", 2)
    assert [entry["query"] for entry in listed["searches"]] == ["second", "first"]
    _, out, _ = run("queries", "list", "--set", "default", "-n", 1, cwd=indexed, check=0)
    assert "second" in out and "first" not in out and "1 of 2" in out


def test_what_makes_no_sense(indexed):
    searched(indexed, "first")
    for arguments, message in (
        (["--last"], "no feedback to note"),
        (["--last", "some-id", "--up"], "its id, or --last"),
        (["--up"], "its id, or --last"),
        (["--last", "--up", "--down"], "up or down"),
        (["--last", "--clicked", "9"], "no hit 9"),
        (["nope", "--up"], "no search 'nope'"),
    ):
        _, _, err = run("feedback", *arguments, cwd=indexed, check=2)
        assert message in err
    run("queries", "list", "-n", 0, cwd=indexed, check=2)


def test_clearing_asks(indexed):
    searched(indexed, "first")
    _, _, err = run("queries", "clear", cwd=indexed, check=2)
    assert "--yes" in err
    _, out, _ = run("queries", "clear", "--yes", "--json", cwd=indexed, check=0)
    assert json.loads(out) == {"removed": 1}
    _, out, _ = run("queries", "prune", "--json", cwd=indexed, check=0)
    assert json.loads(out) == {"removed": 0, "count": 0}


def test_hashed(indexed):
    searched(indexed, "zebra crossing", EMBASSAY_QUERY_LOG__QUERIES="hashed")
    _, out, _ = run("queries", "show", cwd=indexed, check=0)
    assert "zebra" not in out and "the text was not kept" in out
    _, out, _ = run("queries", "export", "queries.jsonl", "--all", cwd=indexed, check=0)
    assert "their text was not kept whole" in out


def test_a_comparison_logs_nothing(indexed):
    run("index", "docs", "--model", "../model", "--set", "other", cwd=indexed, check=0)
    (indexed / "queries.txt").write_text("rotate the key\nproxy server\n")
    sets = ["--set-a", "default", "--set-b", "other"]
    run("compare", *sets, "--queries", "queries.txt", cwd=indexed, check=0, env=KEPT)
    _, out, _ = run("queries", "list", "--json", cwd=indexed, check=0)
    assert json.loads(out)["count"] == 0


def test_queries_are_exported_to_stdout(indexed):
    searched(indexed, "rotate the key")
    _, out, told = run("queries", "export", "-", "--all", cwd=indexed, check=0)
    assert json.loads(out)["query"] == "rotate the key"
    assert "1 query" in told and not (indexed / "-").exists()
    run("queries", "export", "-", "--json", cwd=indexed, check=2)
