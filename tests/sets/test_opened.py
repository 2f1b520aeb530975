"""The sets of an open home: a switch is seen by the next search, and indexes of other generations are closed."""

from __future__ import annotations

from contextlib import closing

import pytest

from embassay.config.values import Config
from embassay.errors import HomeNotFound, SetNotFound, UsageError
from embassay.search.index import Index
from embassay.search.modes import pipeline
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.sets.indexing import Reading, index_files
from embassay.sets.opened import OpenSets
from embassay.sets.spec import Wishes
from embassay.sets.state import Generation
from embassay.stores.values import VECTOR
from tests.tiny import CASES, write_model


@pytest.fixture
def session():
    with Session(Config()) as opened:
        yield opened


@pytest.fixture
def sets(docs, tmp_path, session):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    opened = OpenSets(HomeFolder(docs.parent / ".embassay"), lambda: session.models)
    index_files(opened, "docs", [docs], Wishes(model=model), Reading())
    yield opened
    opened.close()


def second_generation(sets: OpenSets) -> tuple[Generation, Generation]:
    """The live generation and another one, which holds the first chunk of it alone."""
    live = sets.live("docs")
    other = sets.state.generation(
        sets.state.moves.begin("docs", live.id, "g000000000002", live.space, live.spec).generation
    )
    with (
        closing(sets.folder.store(live)) as source,
        closing(sets.folder.store(other, create=True)) as target,
        source.snapshot() as rows,
    ):
        chunks, vectors = next(iter(rows.scan()))
        target.upsert(chunks[:1], {VECTOR: vectors[VECTOR][:1]})
        target.optimise(thorough=True)
    return live, other


def is_closed(index: Index) -> bool:
    try:
        index.search("key", pipeline("lexical", 1))
    except UsageError:
        return True
    return False


def found(sets: OpenSets) -> int:
    with sets.index("docs") as index:
        return len(index.search("rotate the key", pipeline("dense", 50)).hits)


def test_an_index_is_opened_once(sets):
    with sets.index("docs") as first, sets.index("docs") as second:
        assert first is second
    with sets.index("docs") as third:
        assert third is first


def test_a_switch_is_seen_by_the_next_search_and_can_be_taken_back(sets):
    live, other = second_generation(sets)
    before = found(sets)
    assert before > 1
    sets.state.moves.switch("docs", live.id, other.id)
    assert found(sets) == 1
    sets.state.moves.switch("docs", other.id, live.id)
    assert found(sets) == before


def test_the_index_of_an_old_generation_is_closed_when_nobody_uses_it(sets):
    live, other = second_generation(sets)
    with sets.index("docs") as old:
        sets.state.moves.switch("docs", live.id, other.id)
        with sets.index("docs") as new:
            assert new is not old
        assert not is_closed(old), "it is in use"
        assert old.search("rotate the key", pipeline("dense", 50)).hits
    assert is_closed(old) and not is_closed(new)


def test_closing_waits_for_those_who_search(sets):
    with sets.index("docs") as index:
        sets.close()
        assert not is_closed(index)
    assert is_closed(index)


def test_nothing_there(tmp_path, session):
    empty = OpenSets(HomeFolder(tmp_path / ".embassay"), lambda: session.models)
    assert not empty.exists
    with pytest.raises(HomeNotFound):
        empty.live("docs")
    assert not (tmp_path / ".embassay").exists(), "asking makes nothing"


def test_an_unknown_set(sets):
    with pytest.raises(SetNotFound, match="docs"), sets.index("dosc"):
        pass


def test_a_closed_home_opens_nothing_again(sets):
    sets.close()
    for ask in (lambda: sets.live("docs"), sets.writable_state, sets.index("docs").__enter__):
        with pytest.raises(UsageError, match="the home is closed"):
            ask()
    sets.close()
