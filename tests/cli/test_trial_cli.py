"""`embassay switch --trial` and `embassay trial` as people, cron and CI see them."""

from __future__ import annotations

import json
import sqlite3

import pytest

import embassay
from embassay.config.values import Config, QueryLogConfig
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run as migrate
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run

THRESHOLDS = ("--keep-above", "10%", "--revert-below", "5%")


@pytest.fixture
def ready(indexed):
    """A set with a generation that is ready to be switched to, and judged data of it."""
    with embassay.open(indexed / ".embassay") as home:
        begin(home._sets, "default", MigrationTarget.of("hash/64"))
        migrate(home._sets, "default")
    (indexed / "judged" / "qrels").mkdir(parents=True)
    write_judged(indexed / "judged", [f"how do I rotate a key for the {at}. time" for at in range(25)])
    return indexed


def write_judged(folder, queries):
    lines = [json.dumps({"_id": f"q{at}", "text": text}) for at, text in enumerate(queries)]
    (folder / "queries.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "corpus.jsonl").write_text('{"_id": "docs/keys.md", "text": "Rotate a key with keyctl."}\n')
    pairs = "".join(f"q{at}\tdocs/keys.md\t1\n" for at in range(len(queries)))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{pairs}")


def make_due(place):
    with sqlite3.connect(place / ".embassay" / "state.db") as db:
        db.execute("UPDATE trials SET started = started - 1e6, ends = ends - 1e6")


def test_from_the_switch_to_the_decision(ready):
    _, out, _ = run("switch", "default", "--trial", "7d", *THRESHOLDS, "--judged", "judged", cwd=ready, check=0)
    assert "on trial for 7 days" in out and "embassay trial default" in out
    found = json.loads(run("trial", "default", "--json", cwd=ready, check=0)[1])
    assert set(found) == {
        "set", "state", "reason", "generation", "space", "baseline", "baseline_space", "started", "ends", "terms",
        "findings", "notice", "next", "actions",
    }  # fmt: skip
    assert found["state"] == "running" and found["terms"]["judged"] == "judged" and found["terms"]["digest"]
    assert found["terms"]["keep_above"] == 0.1 and found["findings"][0]["figures"]["queries"] == 25
    for looked in (("status",), ("migrate", "default", "--status"), ("log", "default"), ("trial", "default")):
        assert "not due until" in run(*looked, cwd=ready, check=0)[1], looked
    make_due(ready)
    for looked in (("status",), ("migrate", "default", "--status"), ("log", "default")):
        assert "due, its time was over" in run(*looked, cwd=ready, check=0)[1], looked
    assert run("trial", "default", "--status", cwd=ready, check=0)[1].splitlines()[1].startswith("state  due")
    code, out, err = run("trial", "default", cwd=ready)
    assert (code, err) == (5, "") and "state   undecided" in out and "rollback default" in out
    assert all(len(line) <= 120 for line in out.splitlines())
    again, shown, _ = run("trial", "default", cwd=ready)
    assert (again, shown) == (5, out), "it can be run as often as one likes"
    assert "running" in run("trial", "default", "--extend", "2d", cwd=ready, check=0)[1]
    assert "kept by" in run("trial", "default", "--keep", "--why", "nobody complains", cwd=ready, check=0)[1]
    assert run("trial", "default", cwd=ready)[0] == 0
    assert "nobody complains" in run("log", "default", cwd=ready, check=0)[1]


def test_one_that_people_like_less_is_taken_back_with_the_exit_code_of_a_gate(ready):
    def searched(clicks):
        with embassay.Session(Config(query_log=QueryLogConfig(queries="kept"))) as session:
            with embassay.open(ready / ".embassay", session=session) as home:
                for at in range(20):
                    found = home.search(f"rotate a key {at}", set="default")
                    if at < clicks:
                        home.feedback(found, clicked=[1])

    def hours_pass(*tables):
        with sqlite3.connect(ready / ".embassay" / "state.db") as db:
            for table, columns in tables:
                db.execute(f"UPDATE {table} SET " + ", ".join(f"{name} = {name} - 86400" for name in columns))

    logged = {"EMBASSAY_QUERY_LOG__QUERIES": "kept"}
    searched(18)
    run("switch", "default", "--trial", "24h", *THRESHOLDS, cwd=ready, check=0, env=logged)
    searched(3)
    hours_pass(("queries", ["asked"]), ("trials", ["started", "ends"]))
    code, out, _ = run("trial", "default", "--json", cwd=ready, env=logged)
    found = json.loads(out)
    assert (code, found["state"]) == (4, "reverted"), found
    assert found["findings"][0]["figures"]["since"]["satisfied"] == 3 and "18 of 20" in found["reason"]
    assert run("trial", "default", cwd=ready)[0] == 4, "whoever asks again is told the same"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("switch", "default", "--keep-above", "10%"), "Add --trial 7d"),
        (("switch", "default", "--trial", "soon"), "such as 45s, 30m, 12h, 7d or 2w"),
        (("switch", "default", "--trial", "0s"), "more than 0 and at most 366"),
        (("switch", "default", "--trial", "1d", "--keep-above", "0.1"), "must be a percentage, such as 10%"),
        (("switch", "default", "--trial", "1d", "--revert-below", "-5%"), "5 % worse"),
        (("switch", "default", "--trial", "1d", "--keep-above", "-9%"), "--revert-below 9%"),
        (("switch", "default", "--trial", "1d"), "--judged DIR"),
        (("switch", "default", "--trial", "1d", "--judged", "nowhere"), "nowhere"),
        (("trial", "default", "--keep", "--extend", "1d"), "Give one of them"),
        (("trial", "default", "--extend", "x"), "such as 45s"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage_and_switches_nothing(ready, arguments, said):
    code, _, err = run(*arguments, cwd=ready)
    assert code == 2 and said in err, err
    code, _, err = run("trial", "default", cwd=ready)
    assert code == 1 and "embassay switch default --trial 7d" in err


def test_what_is_blocked_says_what_helps(ready):
    run("switch", "default", "--trial", "1d", "--judged", "judged", cwd=ready, check=0)
    (ready / "judged").rename(ready / "moved")
    make_due(ready)
    code, out, _ = run("trial", "default", cwd=ready)
    assert code == 5 and "blocked" in out and "embassay trial default --judged DIR" in out
    code, out, err = run("trial", "default", "--judged", "judged", cwd=ready)
    assert (code, out) == (2, "") and "judged" in err, "a folder that was named now is named wrongly"
    _, out, _ = run("trial", "default", "--judged", "moved", cwd=ready, check=5)
    assert "state   undecided" in out and "on 25 judged queries: +0.0%" in out, "words find the one document anyway"
