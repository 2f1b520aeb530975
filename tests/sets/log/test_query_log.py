"""The query log: what is written of a search, feedback on it, its bounds, its export, and what happens when it cannot be
written."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager

import pytest

import embassay
from embassay.config.reading import load_config
from embassay.config.values import Config, QueryLogConfig
from embassay.errors import ConfigError, UsageError
from embassay.evaluate.data.saved import saved_queries
from embassay.events import Searched
from embassay.home import open_home
from embassay.session import Session
from embassay.sets import schema
from embassay.sets.log import new, recorder

MODEL = "hash/64"
QUERY = "how is the key rotated zebra"


@contextmanager
def logging(docs, queries="kept", **bounds):
    """A home over `docs` whose searches are logged."""
    config = Config(query_log=QueryLogConfig(queries=queries, **bounds))
    with Session(config) as session, open_home(docs.parent / ".embassay", session=session) as home:
        if not home.holds("default"):
            home.index([docs], model=MODEL)
        yield home


def everything_on_disk(docs) -> bytes:
    return b"".join(file.read_bytes() for file in (docs.parent / ".embassay").glob("state.db*"))


def test_it_is_off_by_default(docs):
    with Session(Config()) as session, open_home(docs.parent / ".embassay", session=session) as home:
        home.index([docs], model=MODEL)
        found = home.search(QUERY)
        assert found.id == "" and "id" not in found.to_dict()
        assert home.query_log.count() == 0
        with pytest.raises(UsageError, match="which is off") as error:
            home.feedback(found, clicked=[1])
        assert "query_log: kept" in str(error.value)
    assert QUERY.encode() not in everything_on_disk(docs)


def test_what_is_kept_of_a_search(docs):
    with logging(docs) as home:
        before = time.time()
        found = home.search(QUERY, k=3)
        (entry,) = home.query_log.entries()
        assert (entry.id, entry.query, entry.form, entry.set) == (found.id, QUERY, "kept", "default")
        assert (entry.space, entry.pipeline, entry.took_ms) == (found.space.digest, str(found.pipeline), found.took_ms)
        assert before <= entry.asked <= time.time()
        assert [(hit.rank, hit.set, hit.document, hit.chunk, hit.lines, hit.score, hit.arms) for hit in entry.hits] == [
            (hit.rank, "default", hit.chunk.document, hit.chunk.key, hit.chunk.lines, hit.score, hit.arms)
            for hit in found.hits
        ]
        assert found.to_dict()["id"] == found.id


def test_a_renamed_set_keeps_its_searches(docs):
    with logging(docs) as home:
        home.search(QUERY)
        home.query_log.count()
        home.rename_set("default", "new")
        assert [entry.set for entry in home.query_log.entries("new")] == ["new"]


def test_the_text_of_hits_is_not_logged(docs):
    with logging(docs) as home:
        home.search(QUERY)
    assert b"keyctl" not in everything_on_disk(docs) and QUERY.encode() in everything_on_disk(docs)


def test_a_hashed_query_is_not_there_and_equal_ones_stay_equal(docs):
    with logging(docs, "hashed") as home:
        for query in (QUERY, "another", QUERY):
            home.search(query)
    with logging(docs, "hashed") as home:
        home.search(QUERY)
        last, again, other, first = home.query_log.entries()
        assert last.query == again.query == first.query != other.query
        assert {entry.form for entry in home.query_log.entries()} == {"hashed"}
        home.query_log.clear()
        home.search(QUERY)
        assert home.query_log.last().query != first.query, "a log that was cleared has another salt"
    assert QUERY.encode() not in everything_on_disk(docs)


def test_a_long_query_is_cut(docs):
    with logging(docs) as home:
        home.search("key " * 2000)
        entry = home.query_log.last()
        assert (entry.form, len(entry.query)) == ("cut", new.MOST_CHARACTERS)


def test_measurements_are_not_logged(docs):
    with logging(docs) as home, home.searcher("default") as index:
        pipeline = home.search("a search").pipeline
        index.search("measured", pipeline, measured=True)
        assert [entry.query for entry in home.query_log.entries()] == ["a search"]


def test_two_homes_of_one_session_log_their_own(docs, tmp_path):
    heard = []
    with Session(Config(query_log=QueryLogConfig(queries="kept"))) as session:
        session.events.subscribe(Searched, heard.append)
        with (
            open_home(tmp_path / "one" / ".embassay", session=session) as one,
            open_home(tmp_path / "other" / ".embassay", session=session) as other,
        ):
            for home in (one, other):
                home.index([docs], model=MODEL)
            one.search("first")
            other.search("second")
            assert [entry.query for entry in one.query_log.entries()] == ["first"]
            assert [entry.query for entry in other.query_log.entries()] == ["second"]
    assert [event.query for event in heard] == ["first", "second"]


def test_a_search_of_several_sets_is_one_entry(docs):
    with logging(docs) as home:
        home.index([docs], set="other", model=MODEL)
        found = home.search(QUERY, k=6, set=["default", "other"])
        (entry,) = home.query_log.entries()
        assert (entry.id, entry.set) == (found.id, "default, other")
        assert {hit.set for hit in entry.hits} == {"default", "other"}


def test_no_other_log_has_a_text(docs, monkeypatch):
    """An error may quote a text, and a job that fails is noted: by the code of the error alone."""
    text = "zebras are striped, said the service"

    def quoting(*_, **__):
        raise embassay.errors.StoreError(f"cannot store {text!r}")

    with logging(docs, "off") as home:
        (docs / "new.md").write_text(f"# New\n\n{text}\n")
        with monkeypatch.context() as patched, pytest.raises(embassay.errors.StoreError, match="zebras"):
            patched.setattr("embassay.sets.build.writer.Writer.add", quoting)
            home.index([docs])
        home.index([docs])
        home.search(text)
        generation = home._sets.live("default").id
        assert [job.detail for job in home._sets.state.jobs.of(generation)] == ["", "store_error", ""]
    home_folder = docs.parent / ".embassay"
    for file in (file for file in home_folder.rglob("*") if file.is_file() and "vectors" not in file.parts):
        assert b"zebra" not in file.read_bytes(), file


def test_feedback(docs):
    with logging(docs) as home:
        found = home.search(QUERY, k=3)
        second = found.hits[1].chunk
        place = f"{second.document}#L{second.lines[0]}-{second.lines[1]}"
        home.feedback(found, clicked=[2, second.document])
        unfound = next(one.id for one in home.set().list() if one.id not in {hit.chunk.document for hit in found.hits})
        home.feedback(found.id, thumbs="down", about=[place, f"{unfound}#L1-2"])
        entry = home.feedback(found.id, thumbs="up", about=["2"])
        said = {(given.kind, given.document) for given in entry.feedback}
        assert said == {("clicked", place), ("up", place), ("down", f"{unfound}#L1-2")}
        assert ("up", "") in {(given.kind, given.document) for given in home.feedback(found, thumbs="up").feedback}


def test_feedback_that_cannot_be_meant(docs):
    with logging(docs) as home:
        found = home.search(QUERY, k=2)
        for wrong, match in (
            ({"clicked": [3]}, "no hit 3: it has 2"),
            ({"clicked": [0]}, "no hit 0"),
            ({"clicked": ["docs/nowhere.md"]}, "has not found"),
            ({"thumbs": "sideways"}, "must be up or down"),
            ({"about": [1]}, "nothing is said"),
            ({"thumbs": "up", "about": [" "]}, "'default' has no document ' '"),
            ({"thumbs": "up", "about": ["docs/nowhere.md"]}, "'default' has no document 'docs/nowhere.md'"),
            ({}, "no feedback"),
        ):
            with pytest.raises(UsageError, match=match):
                home.feedback(found, **wrong)
        assert home.query_log.entry(found.id).feedback == ()
        with pytest.raises(UsageError, match="no search 'nope'"):
            home.feedback("nope", thumbs="up")


def test_it_is_bounded_in_number_and_age(docs):
    with logging(docs, max_entries=3) as home:
        found = [home.search(f"query {at}") for at in range(5)]
        home.query_log.entries()
        assert [entry.query for entry in home.query_log.entries()] == ["query 4", "query 3", "query 2"]
        home.feedback(found[2], clicked=[1])
    file = docs.parent / ".embassay" / "state.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE queries SET asked = asked - 8640000 WHERE query <> 'query 4'")
    with logging(docs, max_entries=3, max_days=30) as home:
        assert home.query_log.prune() == 2
        assert [entry.query for entry in home.query_log.entries()] == ["query 4"]
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT count(*) FROM feedback").fetchone() == (0,)


def test_what_was_cleared_is_not_on_the_disk(docs):
    with logging(docs) as home:
        for _ in range(20):
            home.feedback(home.search(QUERY), thumbs="up", about=[1])
        assert QUERY.encode() in everything_on_disk(docs)
        assert home.query_log.clear() == 20
        assert list(home.query_log.entries()) == []
        assert QUERY.encode() not in everything_on_disk(docs) and b"zebra" not in everything_on_disk(docs)


def test_a_backup_of_an_earlier_format_has_no_queries(docs, monkeypatch):
    with logging(docs) as home:
        home.search(QUERY)
    file = docs.parent / ".embassay" / "state.db"
    later = schema.SchemaStep(schema.VERSION + 1, lambda db: None)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, later))
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        schema.move_forward(db, file)
        assert db.execute("SELECT query FROM queries").fetchall() == [(QUERY,)]
    assert QUERY.encode() not in schema.backup_of(file, schema.VERSION).read_bytes()


def test_export_gives_saved_queries(docs, tmp_path):
    with logging(docs) as home:
        liked, clicked, _, disliked = (home.search(query) for query in ("liked", "clicked", "ignored", "disliked"))
        home.feedback(liked, clicked=[3], thumbs="up", about=[1])
        home.feedback(home.search("liked"), thumbs="down", about=[2])
        home.feedback(clicked, clicked=[1, 2], thumbs="down", about=[2])
        home.feedback(disliked, clicked=[1], thumbs="down", about=[1])
        file = tmp_path / "queries.jsonl"
        made = home.query_log.export(file)
        assert (made.queries, made.judged, made.unjudged, made.without_text) == (2, 2, 2, 0)
        places = [f"{h.chunk.document}#L{h.chunk.lines[0]}-{h.chunk.lines[1]}" for h in liked.hits]
        rows = {row.text: (row.judged_by, dict(row.relevant)) for row in saved_queries(file)}
        first = f"{clicked.hits[0].chunk.document}#L{clicked.hits[0].chunk.lines[0]}-{clicked.hits[0].chunk.lines[1]}"
        assert rows == {"liked": ("label", {places[0]: 1, places[1]: 0}), "clicked": ("log", {first: 1})}
        assert file.stat().st_mode & 0o077 == 0
        assert home.query_log.export(file, unjudged=True).queries == 4
        assert home.query_log.export(file, set="another").queries == 0


def test_hashed_queries_are_not_exported(docs, tmp_path):
    with logging(docs, "hashed") as home:
        home.feedback(home.search(QUERY), clicked=[1])
        made = home.query_log.export(tmp_path / "queries.jsonl", unjudged=True)
        assert (made.queries, made.without_text) == (0, 1) and (tmp_path / "queries.jsonl").read_text() == ""


SEARCH = """
import sys
from pathlib import Path
import embassay
from embassay.config.values import Config, QueryLogConfig
from embassay.session import Session
with Session(Config(query_log=QueryLogConfig(queries="kept"))) as session:
    with embassay.open(sys.argv[1], session=session) as home:
        for at in range(int(sys.argv[3])):
            home.search(f"{sys.argv[2]} {at}", mode="lexical", k=2)
        print(session.notices)
"""


def test_processes_write_at_once(docs):
    with logging(docs):
        pass
    home = str(docs.parent / ".embassay")
    command = [sys.executable, "-c", SEARCH, home]
    started = [subprocess.Popen([*command, f"process {at}", "40"], stdout=subprocess.PIPE) for at in range(3)]
    assert [process.communicate()[0] for process in started] == [b"()\n"] * 3
    with logging(docs) as opened:
        found = sorted(entry.query for entry in opened.query_log.entries())
    assert found == sorted(f"process {at} {n}" for at in range(3) for n in range(40))


def test_threads_search_at_once(docs):
    with logging(docs) as home:
        threads = [threading.Thread(target=lambda at=at: home.search(f"thread {at}")) for at in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert home.query_log.count() == 16


def test_a_home_that_is_not_closed_keeps_its_last_searches(docs):
    with logging(docs):
        pass
    forgetful = SEARCH.replace(
        "with embassay.open(sys.argv[1], session=session) as home:",
        "home = embassay.open(sys.argv[1], session=session)\n    if True:",
    )
    subprocess.run([sys.executable, "-c", forgetful, str(docs.parent / ".embassay"), "kept", "2"], check=True)
    with logging(docs) as home:
        assert home.query_log.count() == 2


def test_a_locked_home_costs_entries_and_not_searches(docs, monkeypatch):
    monkeypatch.setattr(recorder, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(recorder, "CLOSE_SECONDS", 0.2)
    file = docs.parent / ".embassay" / "state.db"
    with logging(docs) as home, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert home.search(QUERY).hits and home.search(QUERY).hits
        assert home.query_log.count() == 0
        other.execute("ROLLBACK")
        assert home.query_log.count() == 2, "they were waiting"
        other.execute("BEGIN IMMEDIATE")
        home.search(QUERY)
        home.close()
        other.execute("ROLLBACK")
        assert home.session.notices == ("Searches are not logged: another process is writing to the home.",)


def test_a_file_that_cannot_be_written_is_told_once(docs, monkeypatch):
    with logging(docs) as home:
        monkeypatch.setattr(recorder.LogTable, "add", refuse)
        for _ in range(3):
            assert home.search(QUERY).hits
            home.query_log.count()
        assert home.session.notices == ("Searches are not logged: /x/state.db cannot be written (readonly).",)


def refuse(*_: object) -> None:
    raise embassay.errors.HomeNotWritable("/x/state.db cannot be written (readonly).")


def test_a_full_disk_is_told_once_and_searches_go_on(docs, monkeypatch):
    with logging(docs) as home:
        home.search("before")
        home.query_log.count()
        home._sets._recorder._database._db.execute("PRAGMA max_page_count = 1")
        for at in range(200):
            assert home.search(f"{QUERY} {at} " * 20, mode="lexical").id
        home.query_log.count()
        assert [notice.split(";")[0] for notice in home.session.notices] == [
            "Searches are not logged: the disk is full"
        ]


def test_a_found_configuration_cannot_turn_it_on(docs, monkeypatch):
    (docs.parent / "embassay.yaml").write_text("query_log: kept\n")
    monkeypatch.chdir(docs.parent)
    with embassay.open() as home:
        home.index(["docs"], model=MODEL)
        assert home.search(QUERY).id == ""
        (notice,) = home.session.notices
        assert notice.startswith("Searches are not logged:") and "config allow" in notice
        assert home.query_log.count() == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [("off", "off"), ("kept", "kept"), ("{queries: off}", "off"), ("{queries: hashed, max_days: 7}", "hashed")],
)
def test_the_configuration(written, expected, tmp_path):
    file = tmp_path / "embassay.yaml"
    file.write_text(f"query_log: {written}\n")
    assert load_config(file, env={}).query_log.queries == expected
    assert load_config(file, env={"EMBASSAY_QUERY_LOG__QUERIES": "hashed"}).query_log.queries == "hashed"


@pytest.mark.parametrize("written", ["on", "true", "everything", "{queries: kept, max_days: 0}", "{querys: kept}"])
def test_a_configuration_that_cannot_be(written, tmp_path):
    file = tmp_path / "embassay.yaml"
    file.write_text(f"query_log: {written}\n")
    with pytest.raises(ConfigError, match=r"query_log|querys|max_days"):
        load_config(file, env={})


def test_a_word_that_is_none_of_the_few_is_answered_with_them(tmp_path):
    file = tmp_path / "embassay.yaml"
    for written in ("query_log: on", "query_log: {queries: all}", "glossary: {apply_to: texts, terms: {}}"):
        file.write_text(f"{written}\n")
        with pytest.raises(ConfigError) as refused:
            load_config(file, env={})
        expected = "query, document, both" if "glossary" in written else "off, hashed, kept"
        assert f"Write one of: {expected}." in str(refused.value)


def test_rows_that_no_version_wrote_are_damage(docs):
    with logging(docs) as home:
        home.search(QUERY)
    file = docs.parent / ".embassay" / "state.db"
    for hits in ("{", "[[1]]", json.dumps([["x", "s", "d", "c", 1, 1, 0.5, {}]]), "7"):
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE queries SET hits = ?", (hits,))
        with logging(docs) as home, pytest.raises(embassay.errors.HomeCorrupt, match="is damaged"):
            home.query_log.last()


def test_a_search_of_several_sets_belongs_to_each(docs, tmp_path):
    with logging(docs) as home:
        home.set("other").upsert([{"id": "17", "text": QUERY}], model=MODEL)
        found = home.search(QUERY, k=6, set=["default", "other"])
        (of_other,) = (hit.rank for hit in found.hits if hit.set == "other")
        home.feedback(found, clicked=[of_other])
        home.search("alone", set="other")
        home.index([docs / "network"], set="oth", model=MODEL)
        (entry,) = home.query_log.entries("default")
        assert (entry.id, entry.sets, entry.set) == (found.id, ("default", "other"), "default, other")
        assert [one.query for one in home.query_log.entries("other")] == ["alone", QUERY]
        assert list(home.query_log.entries("oth")) == []
        assert home.query_log.export(tmp_path / "other.jsonl", set="other").judged == 1
        assert home.query_log.export(tmp_path / "default.jsonl", set="default").judged == 0
        home.rename_set("other", "net")
        assert home.query_log.entry(found.id).sets == ("default", "net")
        assert [one.query for one in home.query_log.entries("net")] == ["alone", QUERY]


def test_what_nobody_agreed_to_is_off(docs, monkeypatch):
    with logging(docs) as home:
        home.search(QUERY)
    (docs.parent / "embassay.yaml").write_text("query_log: kept\n")
    monkeypatch.chdir(docs.parent)
    with Session() as session, open_home(docs.parent / ".embassay", session=session) as home:
        assert (home.query_log.config.queries, home.query_log.count()) == ("off", 1)
