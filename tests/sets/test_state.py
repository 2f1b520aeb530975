"""The sets of a home: their generations, the switch between them, and their sources."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import pytest

from embassay.errors import HomeError, MigrationState, SetMoved, SetNotFound
from embassay.sets.spec import SetSpec
from embassay.sets.state import SetState, SourceRow, State, Totals, new_collection
from embassay.space import Space

SPACE = Space("org/model", "ab" * 32, 8)
SPEC = SetSpec("org/model", "auto", 256, "en", "lance")


@pytest.fixture
def state(tmp_path):
    with closing(State(tmp_path / "state.db", create=True)) as opened:
        yield opened


def test_a_set_remembers_what_it_was_made_with(state):
    made = state.create("docs", "g1", SPACE, SPEC)
    assert state.live("docs") == made and (made.space, made.spec, made.set_name) == (SPACE, SPEC, "docs")
    assert state.sets() == ["docs"] and state.set("docs") == SetState("docs", made.id)


def test_the_second_to_make_a_set_gets_the_first_ones(state):
    first = state.create("docs", "g1", SPACE, SPEC)
    assert state.create("docs", "g2", SPACE, replace(SPEC, precision="int8")) == first


def test_a_set_that_is_not_there(state):
    with pytest.raises(SetNotFound):
        state.live("docs")
    state.create("docs", "g1", SPACE, SPEC)
    for look in (state.live, state.set):
        with pytest.raises(SetNotFound, match="There are: docs"):
            look("dosc")


def test_switch_and_back(state):
    old = state.create("docs", "g1", SPACE, SPEC)
    migration = state.moves.begin("docs", old.id, "g2", replace(SPACE, weights="cd" * 32), SPEC)
    new = state.generation(migration.generation)
    assert state.set("docs") == SetState("docs", old.id, None, new.id) and state.live("docs") == old
    assert migration.state == "planned" and state.migrations.open("docs") == migration
    state.moves.switch("docs", old.id, new.id, keep_until=5.0)
    assert state.set("docs") == SetState("docs", new.id, old.id, None, 5.0)
    assert state.live("docs") == new and state.migrations.building(new.id).state == "switched"
    state.moves.switch("docs", new.id, old.id, what="rolled back", detail={"why": "worse"})
    assert state.set("docs") == SetState("docs", old.id, new.id, None)
    assert state.migrations.building(new.id).state == "rolled-back"
    told = state.history.of("docs")
    assert [one.what for one in told] == ["rolled back", "switched", "migration planned", "created"]
    assert told[0].detail == {"why": "worse"} and told[0].build == old.id


def test_a_switch_from_what_is_not_live_changes_nothing(state):
    old = state.create("docs", "g1", SPACE, SPEC)
    new = state.moves.begin("docs", old.id, "g2", SPACE, SPEC).generation
    state.moves.switch("docs", old.id, new)
    before = state.set("docs")
    with pytest.raises(SetMoved, match="switched to another generation"):
        state.moves.switch("docs", old.id, new)
    with pytest.raises(HomeError, match="no generation 99"):
        state.moves.switch("docs", new, 99)
    assert state.set("docs") == before


def test_a_set_is_not_switched_to_a_generation_of_another(state):
    docs, code = state.create("docs", "g1", SPACE, SPEC), state.create("code", "g2", SPACE, SPEC)
    with pytest.raises(HomeError):
        state.moves.switch("docs", docs.id, code.id)


def test_one_generation_is_built_at_a_time(state):
    docs = state.create("docs", "g1", SPACE, SPEC)
    state.moves.begin("docs", docs.id, "g2", SPACE, SPEC)
    with pytest.raises(HomeError, match="being built already"):
        state.moves.begin("docs", docs.id, "g3", SPACE, SPEC)


def test_what_was_given_up_belongs_to_no_set(state):
    docs = state.create("docs", "g1", SPACE, SPEC)
    migration = state.moves.begin("docs", docs.id, "g2", SPACE, SPEC)
    state.moves.abandon(migration, "asked to")
    assert state.set("docs") == SetState("docs", docs.id) and state.migrations.open("docs") is None
    assert state.roster.leftovers() == [migration.generation]
    with pytest.raises(MigrationState, match="is aborted"):
        state.moves.abandon(migration, "again")


def test_of_many_that_switch_at_once_one_wins(state, tmp_path):
    old = state.create("docs", "g0", SPACE, SPEC)
    others = []
    for at in range(8):
        new = state.moves.begin("docs", old.id, f"g{at + 1}", SPACE, SPEC).generation
        state.moves.switch("docs", old.id, new)
        state.moves.switch("docs", new, old.id)
        others.append(new)
    gate, won = threading.Barrier(8), []

    def switch(new: int) -> None:
        with closing(State(tmp_path / "state.db")) as own:
            gate.wait()
            try:
                own.moves.switch("docs", old.id, new)
                won.append(new)
            except HomeError:
                pass

    threads = [threading.Thread(target=switch, args=(new,)) for new in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [state.live("docs").id]


def test_sources(state):
    generation = state.create("docs", "g1", SPACE, SPEC)
    rows = [
        SourceRow("a.md", 1, 2, "d", documents=1, chunks=4, truncated=1),
        SourceRow("b.pdf", 1, 2, "d", "failed", "broken"),
        SourceRow("c.md", 1, 2, "d", "pending"),
        SourceRow("d.md", 1, 2, "d", reader="pdf", chars=9, left_out="1 of 2 pages is an image", left_chars=3),
        SourceRow("e.bin", 1, 2, "d", "skipped", "binary file"),
    ]
    state.put(generation, rows)
    assert sorted(state.sources(generation), key=lambda row: row.path) == rows
    assert state.totals(generation) == Totals(1, 4, 1, 1, 1, 0)
    state.forget(generation, ["b.pdf", "unknown"])
    assert {row.path for row in state.sources(generation)} == {"a.md", "c.md", "d.md", "e.bin"}


def test_rows_are_written_all_or_none(state):
    generation = state.create("docs", "g1", SPACE, SPEC)
    with pytest.raises(HomeError):
        state.put(generation, [SourceRow("a.md", 1, 2, "d"), SourceRow("b.md", 1, 2, "d", "no such state")])
    assert state.sources(generation) == []


def test_closed(state):
    state.close()
    state.close()
    with pytest.raises(HomeError, match="closed"):
        state.sets()


def test_no_two_collections_have_one_name():
    assert len({new_collection() for _ in range(1000)}) == 1000
