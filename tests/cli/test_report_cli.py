"""`monitor report` on the command line."""

from __future__ import annotations

import json

from tests.cli.test_cli import run
from tests.cli.test_queries import KEPT, searched


def test_its_json_and_its_page(indexed):
    searched(indexed, "rotate the key")
    _, out, _ = run("monitor", "report", "--json", "--html", "r.html", cwd=indexed, check=0, env=KEPT)
    made = json.loads(out)
    assert set(made) == {
        "set", "space", "since", "until", "query_log", "searches", "other_spaces", "queries", "nothing_found", "flagged",
        "scores", "took_ms", "feedback", "agreement", "days", "hot", "failing", "failing_queries", "window", "readings",
        "alerts", "notes",
    }  # fmt: skip
    assert made["searches"] == 1 and made["hot"][0]["query"] == "rotate the key"
    assert "rotate the key" in (indexed / "r.html").read_text("utf-8")


def test_in_words(indexed):
    _, out, _ = run("monitor", "report", cwd=indexed, check=0)
    assert "The query log is off" in out and "query_log: kept" in out
    _, _, err = run("monitor", "report", "--days", "0", cwd=indexed, check=2)
    assert "between 1 and" in err
