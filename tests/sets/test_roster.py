"""Which set is meant, new names, and removal: what is on the list, and what a process that died leaves of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

import embassay
from embassay.errors import HomeCorrupt, SetInUse, SetNotFound, StoreError, UsageError
from embassay.events import Noted
from embassay.seals import seal
from embassay.search.modes import pipeline
from embassay.sets.manage import sweep


@pytest.fixture
def two(home, docs, model):
    """A home with the sets ``default`` and ``keys``."""
    home.index([docs], model=model)
    home.index([docs / "keys.md"], model=model, set="keys")
    return home


def folders(home) -> set[str]:
    return {path.name for path in (home.folder / "vectors").iterdir()} | {
        path.name for path in (home.folder / "locks").iterdir()
    }


def rows(home, table: str) -> int:
    with home._sets.state._database.reading() as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_default_is_default_and_the_chosen_one_is_meant_everywhere(two):
    assert two.default_set == "default"
    two.default_set = "keys"
    assert two.default_set == "keys"
    assert two.search("rotate").set == "keys" and set(two.sources()) == {"docs/keys.md"}
    two.default_set = None
    assert two.search("rotate").set == "default"
    with pytest.raises(SetNotFound, match="There are: default, keys"):
        two.default_set = "nope"


def test_a_choice_outlives_the_process_and_follows_a_new_name(two):
    two.default_set = "keys"
    two.rename_set("keys", "secrets")
    two.close()
    with embassay.open(two.folder) as again:
        assert again.default_set == "secrets"
        again.delete_set("secrets")
        assert again.default_set == "default"


def test_the_only_set_is_searched_but_not_written(home, docs, model):
    assert home.default_set == "default", "nothing was indexed yet"
    home.index([docs / "keys.md"], model=model, set="faq")
    assert home.default_set == "faq" and home.search("rotate").set == "faq"
    assert home.index([docs], model=model).set == "default"
    assert home.sets() == ["default", "faq"] and home.default_set == "default"


def test_rename(two, docs, model):
    before = [hit.chunk for hit in two.search("rotate", set="keys").hits]
    two.rename_set("keys", "secrets")
    assert two.sets() == ["default", "secrets"]
    hits = two.search("rotate", set="secrets").hits
    assert [hit.chunk for hit in hits] == before and {hit.set for hit in hits} == {"secrets"}
    assert two.index([docs / "keys.md"], set="secrets").embedded == 0
    with pytest.raises(SetNotFound):
        two.search("rotate", set="keys")


@pytest.mark.parametrize("new", ["default", "a/b", "", "x" * 101])
def test_a_name_that_is_taken_or_none_is_refused(two, new):
    with pytest.raises(UsageError):
        two.rename_set("keys", new)
    assert two.sets() == ["default", "keys"]


def test_rename_does_not_seal_what_was_changed_by_hand(two):
    with two._sets.state._database.writing() as db:
        db.execute("UPDATE generations SET spec = replace(spec, 'auto', 'int8') WHERE set_name = 'keys'")
    with pytest.raises(HomeCorrupt, match="changed by hand"):
        two.rename_set("keys", "secrets")
    assert two.sets() == ["default", "keys"]


def test_rename_keeps_the_seal_of_the_row(two):
    two.rename_set("keys", "secrets")
    with two._sets.state._database.reading() as db:
        *columns, sealed = db.execute(
            "SELECT id, set_name, name, space, spec, identity, seal FROM generations WHERE set_name = 'secrets'"
        ).fetchone()
    assert sealed == seal(*columns)


def test_what_was_logged_of_a_set_goes_by_its_new_name(two):
    with two._sets.state._database.writing() as db:
        db.execute(
            "INSERT INTO queries (id, asked, set_name, space, pipeline, form, query, took_ms, hits) "
            "VALUES ('q', 0, 'keys', '', '', 'kept', 'rotate', 1, '[]')"
        )
    two.rename_set("keys", "secrets")
    with two._sets.state._database.reading() as db:
        assert db.execute("SELECT set_name FROM queries").fetchall() == [("secrets",)]


def test_nothing_of_a_deleted_set_stays(home, docs, model):
    home.index([docs], model=model)
    tables = ("generations", "sources", "jobs", "canaries", "records")
    before = folders(home), {table: rows(home, table) for table in tables}
    home.index([docs], model=model, set="other")
    home.set("other").add([{"id": "1", "text": "One."}])
    gone = home.delete_set("other")
    assert (gone.set, gone.documents > 0, gone.chunks > 0) == ("other", True, True)
    assert home.sets() == ["default"]
    assert (folders(home), {table: rows(home, table) for table in before[1]}) == before
    assert docs.is_dir() and home.search("rotate").hits


def test_a_name_may_be_used_again(two, docs, model):
    two.search("rotate", set="keys")
    two.delete_set("keys")
    two.index([docs / "network"], model=model, set="keys")
    assert {hit.chunk.path.split("/")[1] for hit in two.search("rotate", set="keys").hits} == {"network"}


def test_a_set_that_was_made_anew_is_seen_by_whoever_has_the_old_one_open(two, docs, model):
    with embassay.open(two.folder) as other:
        assert other.search("rotate", set="keys").hits
        two.delete_set("keys")
        two.index([docs / "network"], model=model, set="keys")
        assert {hit.chunk.path.split("/")[1] for hit in other.search("rotate", set="keys").hits} == {"network"}
        other.index([docs / "keys.md"], set="keys")
        assert "docs/keys.md" in two.sources("keys")


def test_dry_run_deletes_nothing(two):
    assert two.delete_set("keys", dry_run=True).documents == 1
    assert two.sets() == ["default", "keys"]
    with pytest.raises(SetNotFound):
        two.delete_set("nope", dry_run=True)


def test_another_process_that_has_it_open_is_told_cleanly(two):
    with embassay.open(two.folder) as other:
        assert other.search("rotate", set="keys").hits
        with pytest.raises(SetNotFound), other.searcher("keys") as index:
            two.delete_set("keys")
            index.search("rotate", pipeline("hybrid"))
            raise StoreError("if the store has kept its files open")
        with pytest.raises(SetNotFound):
            other.search("rotate", set="keys")


def test_refused_while_it_is_written(two):
    generation = two._sets.live("keys")
    with embassay.open(two.folder) as other, other._sets.folder.writing(generation):
        with pytest.raises(SetInUse, match="writing set 'keys'"):
            two.delete_set("keys")
        with pytest.raises(SetInUse):
            two.rename_set("keys", "secrets")
    assert two.sets() == ["default", "keys"] and two.search("rotate", set="keys").hits


def test_a_run_that_waited_for_a_deleted_set_writes_nothing(two, docs):
    """It holds a generation that is gone when it gets the right to write."""
    generation = two._sets.live("keys")
    failures, waits = [], threading.Event()

    def run() -> None:
        with embassay.open(two.folder) as other:
            other.session.events.subscribe(Noted, lambda _: waits.set())
            try:
                other.index([docs], set="keys")
            except SetNotFound as error:
                failures.append(error)

    with two._sets.folder.writing(generation):
        waiting = threading.Thread(target=run)
        waiting.start()
        assert waits.wait(30)
        two._sets.state.roster.remove("keys")
    waiting.join(30)
    assert len(failures) == 1 and two.sets() == ["default"]


KILLED = """
import os, signal, sys
import embassay
from embassay.sets import manage
at = sys.argv[2]
if at == "listed":
    manage.sweep = lambda sets: os.kill(os.getpid(), signal.SIGKILL)
else:
    from embassay.sets.roster import Roster
    Roster.erase = lambda self, generation: os.kill(os.getpid(), signal.SIGKILL)
with embassay.open(sys.argv[1]) as home:
    home.delete_set("keys")
"""


@pytest.mark.parametrize("at", ["listed", "dropped"])
def test_a_killed_deletion_is_finished_by_the_next_one(two, at):
    done = subprocess.run([sys.executable, "-c", KILLED, two.folder, at], check=False)
    assert done.returncode == -signal.SIGKILL
    assert two.sets() == ["default"] and two._sets.state.roster.leftovers()
    with pytest.raises(SetNotFound):
        two.search("rotate", set="keys")
    assert sweep(two._sets) == 1
    assert not two._sets.state.roster.leftovers() and rows(two, "generations") == 1
    assert len([name for name in folders(two) if name.endswith(".lance")]) == 1
    assert two.search("rotate").hits


def test_doctor_clears_what_is_left(two):
    two._sets.state.roster.remove("keys")
    two.doctor("default")
    assert not two._sets.state.roster.leftovers()


def test_a_set_whose_vectors_are_lost_can_be_deleted(two):
    import shutil

    name = two._sets.live("keys").name
    shutil.rmtree(two.folder / "vectors" / f"{name}.lance")
    two.delete_set("keys")
    assert two.sets() == ["default"] and not two._sets.state.roster.leftovers()


def test_a_listed_generation_is_never_erased(two):
    state = two._sets.state
    state.roster.erase(state.live("keys").id)
    assert two.search("rotate", set="keys").hits
