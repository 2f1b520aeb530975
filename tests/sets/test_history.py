"""What a set tells of itself: a row for what changed something, none for what did not, and no flood of them."""

from __future__ import annotations

import pytest

from embassay.errors import SetNotFound, UsageError
from embassay.sets import history
from embassay.version import VERSION


def said(made):
    return [one.what for one in made.history()]


def test_an_index_run_is_told_with_its_figures(home, docs, model):
    made = home.set("manual")
    report = made.index([docs], model=model)
    run, created = made.history()
    assert (run.what, run.set_name, run.version, created.what) == ("indexed", "manual", VERSION, "created")
    assert run.build == created.build and run.happened >= created.happened
    assert run.detail == {
        "files": report.files, "removed": 0, "embedded": report.embedded, "cached": report.cached,
        "chunks": report.chunks, "usd": 0.0, "seconds": pytest.approx(report.seconds, abs=0.001),
    }  # fmt: skip
    assert created.detail["space"] == report.space and created.detail["language"] == report.language


def test_what_changes_nothing_is_not_told(home, docs, model):
    made = home.set("manual")
    made.index([docs], model=model)
    made.upsert([{"id": "1", "text": "a"}])
    before = said(made)
    made.index([docs])
    made.upsert([{"id": "1", "text": "a"}])
    made.delete(ids=["nothing"])
    assert said(made) == before == ["added", "indexed", "created"]
    (docs / "keys.md").unlink()
    made.index([docs])
    assert made.history(1)[0].detail["removed"] == 1


def test_calls_that_follow_each_other_are_one_row(home, model):
    made = home.set("faq")
    for at in range(5):
        made.upsert([{"id": str(at % 3), "text": f"text {at}"}], model=model)
        made.delete(ids=["nothing", "2"])
    deleted, added, _ = made.history()
    figures = {name: added.detail[name] for name in ("calls", "added", "updated", "embedded")}
    assert figures == {"calls": 5, "added": 3, "updated": 2, "embedded": 5}
    assert {name: deleted.detail[name] for name in ("calls", "documents", "chunks")} == {
        "calls": 1, "documents": 1, "chunks": 1,
    }  # fmt: skip


def test_calls_that_lie_apart_are_rows_of_their_own(home, model, monkeypatch):
    made, now = home.set("faq"), 1_800_000_000.0
    monkeypatch.setattr(history.time, "time", lambda: now)
    for at, later in enumerate((0, history.PAUSE - 1, history.PAUSE + 1, -10_000)):
        now += later
        made.upsert([{"id": str(at), "text": f"text {at}"}], model=model)
    assert [one.detail["calls"] for one in made.history() if one.what == "added"] == [1, 1, 2]


def test_many_rows_of_one_kind_forget_no_other(home, model, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    made = home.set("faq")
    made.upsert([{"id": "1", "text": "a"}], model=model)
    identity = made.history(1)[0].build
    for at in range(9):
        home._sets.state.history.note("faq", "indexed", identity, {"files": at})
    assert said(made) == ["indexed"] * 3 + ["added", "created"]
    assert made.history(1)[0].detail == {"files": 8}


def test_a_run_that_fails_says_how_far_it_came(home, docs, model, monkeypatch):
    from embassay.sets import indexing

    made = home.set("manual")
    made.index([docs], model=model)

    def fails(source, writer, *_):
        writer.touched.update(["a", "b"])
        writer.altered = True
        raise SetNotFound("gone")

    monkeypatch.setattr(indexing, "build", fails)
    with pytest.raises(SetNotFound):
        made.index([docs])
    assert made.history(1)[0].detail == {"documents": 2, "ended": "set_not_found"}


def test_a_name_is_followed_and_a_set_takes_its_history_with_it(home, model):
    home.set("faq").upsert([{"id": "1", "text": "a"}], model=model)
    home.rename_set("faq", "help")
    renamed = home.set("help").history()
    assert [one.what for one in renamed] == ["renamed", "added", "created"]
    assert renamed[0].detail == {"from": "faq", "to": "help"}
    assert {one.set_name for one in renamed} == {"help"}
    home.delete_set("help")
    home.set("help").upsert([{"id": "1", "text": "a"}], model=model)
    assert said(home.set("help")) == ["added", "created"]


def test_what_makes_no_sense(home, model):
    with pytest.raises(SetNotFound):
        home.set("faq").upsert([{"id": "1", "text": "a"}], model=model) and home.set("other").history()
    for wrong in (0, -1, "x"):
        with pytest.raises(UsageError):
            home.set("faq").history(wrong)
