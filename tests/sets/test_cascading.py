"""While a set is moved, a search may recall with the live generation and rank with the one that is built."""

from __future__ import annotations

import shutil
import threading

import pytest

import embassay
from embassay.sets.followers import bring_up
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import rollback, switch
from embassay.sets.migration.target import MigrationTarget
from tests.tiny import CASES, write_model

QUERIES = ("rotate a key", "a table of settings", "how is it stopped")
OTHER = "hash/64"
"""Finds by the words of a text, so that it ranks unlike the tiny model."""
WORDS = ["rotate", "table", "stopped", "settings", "index", "switch", "rollback", "query"]
TEXTS = {str(at): f"{WORDS[at % 8]} {WORDS[(at + at // 8 + 1) % 8]} key" for at in range(24)}


@pytest.fixture
def home(tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set("docs").upsert([{"id": name, "text": text} for name, text in TEXTS.items()], model=model)
        yield opened


def building(home):
    sets = home._sets
    return sets.state.generation(sets.state.set("docs").building)


def move(home, names=()):
    """Begin a migration that has got so far."""
    sets = home._sets
    begin(sets, "docs", MigrationTarget.of(OTHER))
    if names:
        new = building(home)
        with sets.folder.writing(new, lambda: None):
            bring_up(sets, sets.live("docs"), new, [*names])


def ranked(result):
    return [(hit.chunk.document, pytest.approx(hit.score, abs=1e-5)) for hit in result.hits]


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
@pytest.mark.parametrize("done", [0, 6, 24], ids="none some all".split())
def test_with_enough_time_it_ranks_as_the_switched_set_does(home, mode, done):
    """Oracle: the same search behind the switch. All rows are candidates, so that the recall is that of both."""
    move(home, [*TEXTS][:done])
    docs = home.set("docs")
    plain = [ranked(docs.search(query, mode=mode)) for query in QUERIES]
    found = [docs.search(query, mode=mode, cascade=embassay.Cascade(600_000)) for query in QUERIES]
    for result in found:
        assert (result.cascade.exact, result.cascade.embedded, result.cascade.left) == (done, 24 - done, 0)
        assert result.cascade.space == building(home).space and result.space == home._sets.live("docs").space
    run(home._sets, "docs")
    switch(home._sets, "docs")
    after = [docs.search(query, mode=mode) for query in QUERIES]
    assert [ranked(result) for result in found] == [ranked(result) for result in after] != plain


def test_without_time_what_is_not_there_is_left(home):
    move(home, [*TEXTS][:6])
    found = home.search("rotate a key", set="docs", cascade=embassay.Cascade(0))
    assert (found.cascade.exact, found.cascade.embedded, found.cascade.left) == (6, 0, 18)
    assert found.to_dict()["cascade"] == {
        "space": str(building(home).space),
        "space_digest": building(home).space.digest,
        "exact": 6,
        "embedded": 0,
        "left": 18,
    }
    assert {hit.chunk.document for hit in found.hits} <= TEXTS.keys()


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_where_the_old_model_is_gone_words_recall_and_the_new_one_ranks(tmp_path, home, mode):
    """Every text has the word, so that all are recalled, and the order is that of the new space."""
    move(home, [*TEXTS][:6])
    shutil.rmtree(tmp_path / "model")
    with embassay.open(tmp_path / ".embassay") as later:
        docs = later.set("docs")
        found = docs.search("rotate key", k=24, mode=mode, cascade=embassay.Cascade(600_000))
        assert (found.cascade.exact, found.cascade.embedded, found.cascade.left) == (6, 18, 0)
        assert any("by words only" in notice for notice in found.notices) == (mode == "hybrid")
        assert not docs.search("nowhereword", mode=mode, cascade=True).hits
        run(later._sets, "docs")
        switch(later._sets, "docs")
        after = docs.search("rotate key", k=24, mode="dense")
        assert ranked(found) == ranked(after)
        assert rollback(later._sets, "docs").words_only == 0
        assert docs.search("rotate key", k=24).hits, "by words"


def test_nothing_is_written_by_a_search(home):
    move(home)
    home.search("rotate a key", set="docs", cascade=embassay.Cascade(600_000))
    sets = home._sets
    assert sets.state.sources(building(home)) == [] and len(sets.state.sources(sets.live("docs"))) == 24


def test_it_vanishes_with_the_migration(home):
    docs, sets = home.set("docs"), home._sets
    plain = ranked(docs.search("rotate a key"))
    told = "No cascade: set 'docs' is not being migrated."

    def is_plain():
        found = docs.search("rotate a key", cascade=True)
        return found.cascade is None and told in found.notices

    assert is_plain()
    move(home, TEXTS)
    assert docs.search("rotate a key", cascade=True).cascade
    sets.state.moves.abandon(sets.state.migrations.open("docs"), "not wanted")
    assert is_plain() and ranked(docs.search("rotate a key", cascade=True)) == plain
    move(home)
    run(sets, "docs")
    switch(sets, "docs")
    assert is_plain() and ranked(docs.search("rotate a key", cascade=True)) != plain
    rollback(sets, "docs")
    assert is_plain() and ranked(docs.search("rotate a key", cascade=True)) == plain


def test_a_generation_that_failed_ranks_nothing(home):
    move(home, TEXTS)
    sets = home._sets
    plain = ranked(home.search("rotate a key", set="docs"))
    sets.state.migrations.advance(sets.state.migrations.open("docs"), ("planned",), "failed", reason="meaning")
    found = home.search("rotate a key", set="docs", cascade=True)
    assert found.cascade is None and ranked(found) == plain
    assert "No cascade: the migration of set 'docs' has failed (meaning)." in found.notices


def test_its_rows_may_go_while_it_is_searched(home):
    """Another process gives the migration up and removes what was built: the search goes on without it."""
    move(home, TEXTS)
    sets, docs = home._sets, home.set("docs")
    docs.search("rotate a key", cascade=True)
    other = sets.folder.store(building(home))
    other.drop()
    other.close()
    found = docs.search("rotate a key", cascade=embassay.Cascade(0))
    assert found.hits and (found.cascade is None or found.cascade.exact in (0, 24))


def test_several_sets_are_searched_without(home):
    docs = home.set("docs")
    home.set("more").upsert([{"id": "m", "text": "Rotate more."}], model=home._sets.live("docs").spec.model)
    move(home, TEXTS)
    found = docs.search("rotate a key", beside=["more"], cascade=True)
    assert found.cascade is None and "No cascade: several sets are searched together." in found.notices


def test_searches_in_threads_during_a_switch(home):
    """Each answer is whole: of the cascade, of the old generation or of the new one, and says which."""
    move(home, TEXTS)
    sets, docs = home._sets, home.set("docs")
    run(sets, "docs")
    seen, over = [], threading.Event()

    def asked(cascade=True):
        found = docs.search("rotate a key", mode="dense", cascade=cascade)
        return found.cascade is not None, found.space.digest, [hit.chunk.document for hit in found.hits]

    def search():
        while not over.is_set():
            seen.append(asked())

    whole = [asked(), asked(cascade=False)]
    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    switch(sets, "docs")
    whole.append(asked())
    over.set()
    for thread in threads:
        thread.join()
    assert [one[0] for one in whole] == [True, False, False] and len({one[1] for one in whole}) == 2
    assert seen and all(one in whole for one in seen)
