"""Switch and rollback: what each allows, what it brings along, and what the history keeps of it."""

from __future__ import annotations

import shutil
from contextlib import closing

import numpy as np
import pytest

import embassay
from embassay.errors import MigrationState, UsageError
from embassay.sets.followers import waiting_for_model
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.check import Check
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from embassay.stores.values import VECTOR
from tests.tiny import CASES, write_model

OTHER = "hash/64"


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model", CASES["bert"])


@pytest.fixture
def home(tmp_path, docs, model):
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set("docs").index([docs], model=str(model))
        opened.set("docs").upsert([{"id": "17", "text": "Rotate a key."}])
        yield opened


def built(home, *verifiers):
    begin(home._sets, "docs", MigrationTarget.of(OTHER))
    return run(home._sets, "docs", verifiers)


def fails(*_):
    return [Check("meaning", passed=False, detail="nothing is found", figures={})]


def zeros(home):
    """Rows of the live generation without a vector."""
    generation = home._sets.live("docs")
    with closing(home._sets.folder.store(generation)) as store, store.snapshot() as version:
        return sum(int((~by_label[VECTOR].any(axis=1)).sum()) for _, by_label in version.scan())


def without(home, model):
    """The same home in a process that never had the model open, which is gone."""
    home.close()
    shutil.move(model, model.with_name("gone"))
    return embassay.open(home.folder)


def test_the_history_keeps_who_and_why(home):
    built(home)
    done = home.set("docs").switch(why="better on our queries")
    home.set("docs").rollback(why="clicks went down")
    back, there = [one for one in home._sets.state.history.of("docs") if one.what in ("switched", "rolled back")]
    assert (there.build, there.detail["why"], there.detail["to"]) == (
        done.now.id,
        "better on our queries",
        str(done.now.space),
    )
    assert (back.build, back.detail["why"]) == (done.was.id, "clicks went down")
    assert there.detail["who"] and "forced" not in there.detail


def test_what_failed_its_checks_is_switched_to_only_by_force_and_with_a_reason(home):
    assert built(home, fails).state == "failed"
    docs = home.set("docs")
    with pytest.raises(MigrationState, match=r"is failed \(meaning: nothing is found\)"):
        docs.switch()
    with pytest.raises(UsageError, match="has to have a reason"):
        docs.switch(force=True)
    done = docs.switch(force=True, why="the check is wrong")
    assert home._sets.live("docs") == done.now
    assert home._sets.state.history.of("docs")[0].detail["forced"] == {
        "state": "failed", "reason": "meaning: nothing is found",
    }  # fmt: skip


def test_force_makes_no_whole_generation_of_one_that_is_only_begun(home):
    begin(home._sets, "docs", MigrationTarget.of(OTHER))
    with pytest.raises(MigrationState, match="by force one that is whole"):
        home.set("docs").switch(force=True, why="in a hurry")


def test_a_generation_is_named(home):
    built(home)
    docs, sets = home.set("docs"), home._sets
    old, new = sets.live("docs"), sets.state.generation(sets.state.set("docs").building)
    with pytest.raises(UsageError, match="is live already"):
        docs.switch(old.name)
    with pytest.raises(UsageError, match="has no generation 'nope'"):
        docs.switch("nope")
    assert docs.switch(new.name).now == new
    assert docs.switch(old.name).now == old
    assert sets.state.migrations.building(new.id).state == "rolled-back"


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), 1e9])
def test_times_to_keep_that_are_none(home, days):
    built(home)
    with pytest.raises(UsageError, match="is to be kept for"):
        home.set("docs").switch(keep_days=days)


def test_one_that_is_past_its_time_is_written_no_more_and_can_still_be_gone_back_to(home):
    built(home)
    docs, sets = home.set("docs"), home._sets
    old = docs.switch(keep_days=0).was
    docs.upsert([{"id": "18", "text": "Written after its time."}])
    assert "18" not in {row.path for row in sets.state.sources(old)}
    done = docs.rollback()
    assert (done.brought, done.words_only) == (1, 0)
    assert docs.search("Written after its time.", k=1, mode="dense").hits[0].chunk.document == "18"


def test_what_a_killed_writer_left_is_brought_by_the_switch(home, monkeypatch):
    """It dies between the live generation and the one that follows it."""
    built(home)
    docs = home.set("docs")
    with monkeypatch.context() as patched:
        patched.setattr("embassay.sets.records.writing.bring_along", lambda *_: None)
        docs.upsert([{"id": "18", "text": "Only the live one has this."}])
    assert docs.switch().brought == 1
    with monkeypatch.context() as patched:
        patched.setattr("embassay.sets.records.deleting.bring_along", lambda *_: None)
        docs.delete(ids=["17"])
    assert docs.rollback().brought == 1
    assert docs.get(["17"]) == [] and docs.get(["18"])[0].text == "Only the live one has this."


def test_a_model_that_is_gone_leaves_what_is_new_to_be_found_by_words(home, model):
    built(home)
    home.set("docs").switch()
    with without(home, model) as later:
        docs = later.set("docs")
        docs.upsert([{"id": "18", "text": "Zebras graze."}, {"id": "19", "text": "Okapis hide."}])
        assert docs.rollback().words_only == 2
        assert docs.search("zebras", k=1, mode="lexical").hits[0].chunk.document == "18"
        assert zeros(later) == waiting_for_model(later._sets.state, later._sets.live("docs")) == 2


def test_what_waits_is_embedded_once_the_model_is_back(home, model, docs):
    built(home)
    home.set("docs").switch()
    with without(home, model) as later:
        (docs / "new.md").write_text("# New\n\nOkapis hide in the wood.\n")
        later.set("docs").index([docs])
        later.set("docs").upsert([{"id": "18", "text": "Zebras graze."}])
        assert later.set("docs").rollback().words_only == 2
    shutil.move(model.with_name("gone"), model)
    with embassay.open(home.folder) as again:
        again.set("docs").index([docs])
        assert zeros(again) == waiting_for_model(again._sets.state, again._sets.live("docs")) == 0
        assert again.set("docs").search("Zebras graze.", k=1, mode="dense").hits[0].chunk.document == "18"
        with pytest.raises(MigrationState, match="embassay rollback docs"):
            again.set("docs").switch()
        again.set("docs").rollback()
        assert np.count_nonzero([row.waits for row in again._sets.state.sources(again._sets.live("docs"))]) == 0
