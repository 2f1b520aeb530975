"""A set is moved to another model and back while it is written, and nothing is lost in either generation."""

from __future__ import annotations

from contextlib import closing

import pytest

import embassay
from embassay.errors import MigrationState, UsageError
from embassay.sets.followers import behind
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import rollback, switch
from embassay.sets.migration.target import MigrationTarget
from tests.tiny import CASES, write_model

OTHER = "hash/64"


@pytest.fixture
def moving(tmp_path, docs):
    """A set of files and records of a tiny model."""
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("docs").index([docs], model=model)
        home.set("docs").upsert([{"id": "17", "text": "Rotate a key.", "metadata": {"lang": "en"}}])
        yield home


def keys(sets, generation):
    with closing(sets.folder.store(generation)) as store, store.snapshot() as version:
        return {chunk.key: chunk.metadata for chunks, _ in version.scan(()) for chunk in chunks}


def both(sets, name="docs"):
    """The live generation and the other one."""
    of_set = sets.state.set(name)
    return sets.live(name), sets.state.generation(of_set.followers[0])


def test_a_set_is_moved_and_back(moving):
    sets, docs = moving._sets, moving.set("docs")
    begin(sets, "docs", MigrationTarget.of(OTHER))
    assert run(sets, "docs").state == "ready"
    old, new = both(sets)
    assert keys(sets, old) == keys(sets, new) and behind(sets.state, old, new) == 0
    with pytest.raises(MigrationState, match="has no generation that was live before"):
        rollback(sets, "docs")
    assert switch(sets, "docs").now == new
    assert docs.search("Rotate a key.", k=1, mode="dense").hits[0].chunk.document == "17"
    assert docs.status().space == str(new.space)
    assert docs.get(["17"])[0].metadata == {"lang": "en"}
    assert rollback(sets, "docs").now == old
    assert docs.search("Rotate a key.", k=1).hits[0].chunk.document == "17"


def test_what_is_written_meanwhile_reaches_both(moving, docs):
    sets, one = moving._sets, moving.set("docs")
    begin(sets, "docs", MigrationTarget.of(OTHER))
    one.upsert([{"id": "18", "text": "Before the backfill."}])
    run(sets, "docs")
    one.upsert([{"id": "19", "text": "While it is ready."}])
    one.delete(ids=["17"])
    old, new = both(sets)
    assert behind(sets.state, old, new) == 0 and keys(sets, old) == keys(sets, new)
    switch(sets, "docs")
    one.upsert([{"id": "20", "text": "After the switch."}, {"id": "19", "text": "Said in another way."}])
    (docs / "new.md").write_text("# New\n\nA file that came after the switch.\n")
    one.index([docs])
    live, kept = both(sets)
    assert kept == old and behind(sets.state, live, kept) == 0 and keys(sets, live) == keys(sets, kept)
    assert rollback(sets, "docs").words_only == 0
    assert [hit.chunk.document for hit in one.search("Said in another way.", k=1, mode="dense").hits] == ["19"]
    assert one.get(["17"]) == []


def test_nothing_is_embedded_twice(moving):
    """A run that does what another one has done finds nothing to do."""
    sets = moving._sets
    begin(sets, "docs", MigrationTarget.of(OTHER))
    run(sets, "docs")
    seen = []
    moving.session.events.subscribe(embassay.events.Embedded, seen.append)
    run(sets, "docs")
    assert seen == []


def test_one_migration_at_a_time_and_not_to_where_it_is(moving):
    sets = moving._sets
    with pytest.raises(UsageError, match="is in the space"):
        begin(sets, "docs", MigrationTarget.of(sets.live("docs").spec.model))
    begin(sets, "docs", MigrationTarget.of(OTHER))
    with pytest.raises(MigrationState, match="is being migrated already"):
        begin(sets, "docs", MigrationTarget.of("hash/128"))
    with pytest.raises(MigrationState, match="is planned; only one that is ready"):
        switch(sets, "docs")
