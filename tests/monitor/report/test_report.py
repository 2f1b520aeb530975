"""The report on the searches of a set: its figures, empty and hostile logs, hashes, and its page."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from contextlib import closing

import numpy as np
import pytest

from embassay.config.values import Config, QueryLogConfig
from embassay.errors import UsageError
from embassay.home import open_home
from embassay.monitor.monitor import Monitor
from embassay.monitor.report.made import make_report
from embassay.monitor.report.page import render, write_page
from embassay.session import Session
from tests.disks import small_disk
from tests.sets.log.test_query_log import MODEL, QUERY, logging

EVIL = "<script>alert(1)</script> \x1b[31mred\x1b[0m \u202egnp.exe & \"quoted\" 'single'"


def report(home, days=7):
    return make_report(Monitor(home, "default"), days)


def shifted(docs, seconds, condition="1"):
    """As if some searches had been asked so much earlier."""
    with closing(sqlite3.connect(docs.parent / ".embassay" / "state.db")) as db, db:
        for table in ("queries", "marks"):
            db.execute(f"UPDATE {table} SET asked = asked - ? WHERE {condition}", (seconds,))


def test_its_figures(docs):
    with logging(docs) as home:
        found = [home.search(query, k=3) for query in (QUERY, QUERY, "another", QUERY)]
        home.feedback(found[0], clicked=[2])
        home.feedback(found[1], thumbs="down")
        made = report(home)
        assert (made.searches, made.different, made.nothing_found, made.log) == (4, 2, 0, "kept")
        assert [(one.text.query, one.query.asked) for one in made.hot] == [(QUERY, 3), ("another", 1)]
        feedback = made.feedback
        assert (feedback.with_feedback, feedback.satisfied, feedback.share, feedback.share_of_all) == (2, 1, 0.5, 0.25)
        assert (feedback.first_click, feedback.at_first, feedback.within_three) == (2.0, 0.0, 1.0)
        best = [max(hit.arms["dense"].score for hit in one.hits if "dense" in hit.arms) for one in found]
        assert made.scores.percentiles["p50"] == pytest.approx(np.median(best))
        assert made.took_ms.most == max(one.took_ms for one in found)
        assert sum(made.histogram.counts) == sum(day.searches for day in made.days) == 4
        assert made.notes == [] and {one.signal for one in made.readings} >= {"satisfaction", "first-click"}
        json.dumps(made.to_dict(), allow_nan=False)


def test_days_are_apart_and_older_searches_are_out(docs):
    with logging(docs) as home:
        for at in range(6):
            home.search(f"query {at}")
        home.query_log.count()
        shifted(docs, 2 * 86_400, "seq <= 2")
        shifted(docs, 20 * 86_400, "seq = 1")
        made = report(home)
        assert [day.searches for day in made.days] == [1, 4] and made.searches == 5
        assert report(home, 30).searches == 6
        page = render(made)
        assert "Day by day" in page and made.days[0].day in page


def test_searches_of_another_space_are_told_and_not_counted(docs):
    with logging(docs) as home:
        for at in range(3):
            home.search(f"query {at}")
        home.query_log.count()
        with closing(sqlite3.connect(docs.parent / ".embassay" / "state.db")) as db, db:
            db.execute("UPDATE marks SET space = 'another' WHERE seq = 1")
        made = report(home)
        assert (made.searches, made.other_spaces) == (2, 1)
        assert "1 search in other spaces" in made.notes[0]


def test_searches_of_several_sets_are_not_counted(docs):
    with logging(docs) as home:
        home.index([docs], set="other", model=MODEL)
        home.search(QUERY, set=["default", "other"])
        assert report(home).searches == 0


def test_an_empty_log(docs):
    with logging(docs) as home:
        made = report(home)
        assert made.searches == 0 and made.notes == ["No search of this set is in the query log in this time."]
        assert "No search of this set" in render(made)
        json.dumps(made.to_dict(), allow_nan=False)


def test_a_log_that_is_off_says_how_it_is_turned_on(docs):
    with logging(docs, "off") as home:
        (note,) = report(home).notes
        assert "The query log is off" in note and "query_log: kept" in note


def test_one_query(docs):
    with logging(docs) as home:
        home.search(QUERY)
        made = report(home)
        assert (made.searches, made.different, len(made.days)) == (1, 1, 1)
        assert QUERY in render(made) and "Not enough feedback" in made.agreement.said


def test_a_search_that_found_nothing(docs):
    with logging(docs) as home:
        for _ in range(3):
            home.search("qqqqqq xxxxxx", mode="lexical")
        made = report(home)
        assert made.nothing_found == 3 and made.scores.count == 0 and made.histogram.counts == ()
        assert [one.query.failures for one in made.failing] == [["found nothing: 3 of 3"]]
        assert "found nothing: 3 of 3" in render(made)


def test_hashed_queries_are_shown_as_hashes(docs):
    with logging(docs, "hashed") as home:
        home.search(QUERY)
        made = report(home)
        page = render(made)
        assert made.hot[0].shown.startswith("#") and len(made.hot[0].shown) == 13
        assert "Queries are hashed" in page and made.hot[0].shown in page and QUERY not in page


def test_hostile_queries_stay_text(docs):
    with logging(docs) as home:
        for query in (EVIL, f"{EVIL} {'x' * 5000}"):
            home.feedback(home.search(query), clicked=[1])
        page = render(report(home))
        assert "<script" not in page and "&lt;script&gt;" in page
        assert not any(bad in page for bad in ("\x1b", "\u202e")) and "x" * 200 not in page
        assert "http://" not in page and "https://" not in page and "src=" not in page, "it needs no network"


def test_the_page_is_for_its_owner_alone(docs, tmp_path):
    with logging(docs) as home:
        home.search(QUERY)
        file = tmp_path / "report.html"
        write_page(report(home), file)
        assert file.stat().st_mode & 0o077 == 0 and QUERY in file.read_text("utf-8")


@pytest.mark.parametrize("days", [0, -1, 1_000_000])
def test_days_that_cannot_be(docs, days):
    with logging(docs) as home, pytest.raises(UsageError, match="between 1 and"):
        report(home, days)


def test_a_clock_that_jumped(docs):
    with logging(docs) as home:
        for at in range(4):
            home.search(f"query {at}")
        home.query_log.count()
        shifted(docs, -400 * 86_400, "seq = 1")
        shifted(docs, -1e18, "seq = 2")
        made = report(home)
        assert made.searches == 4 and sum(day.searches for day in made.days) == 2
        assert render(made)


def test_a_home_that_cannot_be_written(tmp_path, docs):
    with (
        small_disk(tmp_path / "disk", "6m") as disk,
        Session(Config(query_log=QueryLogConfig(queries="kept"))) as session,
    ):
        with open_home(disk / "home", session=session) as home:
            home.index([docs], model=MODEL)
            home.search(QUERY)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with open_home(disk / "home", session=session) as home:
            made = report(home)
            assert made.searches == 1 and made.hot[0].text.query == QUERY


def test_many_searches_are_read_fast_enough_to_be_of_use(docs):
    """A hundred thousand, each query another one; the bench has a million."""
    with logging(docs, max_entries=10**6) as home:
        found = home.search(QUERY)
        home.query_log.count()
        with closing(sqlite3.connect(docs.parent / ".embassay" / "state.db")) as db, db:
            now = time.time()
            values = ((at, now - at, "default", found.space.digest, at, 5.0, 10, 0.5) for at in range(2, 100_002))
            db.executemany(
                "INSERT INTO marks (seq, asked, set_name, space, query, took_ms, hits, dense) VALUES (?,?,?,?,?,?,?,?)",
                values,
            )
        made = report(home)
        assert made.searches == made.different == 100_001
