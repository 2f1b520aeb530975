"""The writer: the order in which a checkpoint is written, when one is due, and what happens to errors."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from embassay.errors import StoreError
from embassay.sets.build import writer as writing
from embassay.sets.build.origin import Ended, Moved, New, Origin
from embassay.sets.build.writer import Writer
from embassay.types import Chunk
from tests.embedders.fakes import Gate
from tests.sets.build.fakes import DIMENSIONS, TinySet


@pytest.fixture
def tiny(tmp_path):
    made = TinySet(tmp_path)
    yield made
    made.state.close()


def writer(tiny, **parameters):
    return Writer(tiny.state, tiny.generation, tiny.store, **{"seconds": math.inf, **parameters})


def chunk(key, path="a", text="rotate"):
    return Chunk(key, path, path, "", text, 0, (1, 1), (0, len(text)), 1)


def vector(at=0):
    return np.eye(1, DIMENSIONS, at, dtype=np.float32)[0]


def new(origin, key, at=0):
    change = origin.take(chunk(key, origin.name))
    assert isinstance(change, New)
    return change, vector(at)


def test_a_checkpoint_marks_writes_deletes_and_settles_in_this_order(tiny):
    origin = Origin("a")
    with writer(tiny) as out:
        out.add(*new(origin, "1"))
        out.add(*new(origin, "2"))
        out.add(origin.end())
    again = Origin("a", tiny.state.sources(tiny.generation)[0], existing={"1": chunk("1"), "2": chunk("2")})
    tiny.life.seen.clear()
    with writer(tiny) as out:
        assert again.take(chunk("1")) is None
        out.add(*new(again, "3"))
        out.add(again.end())
    assert tiny.life.seen == [
        "put pending", "put", "upsert", "upserted", "delete", "deleted", "put settled", "put",
    ]  # fmt: skip
    assert set(tiny.rows()) == {"1", "3"}
    assert [(row.state, row.chunks) for row in tiny.state.sources(tiny.generation)] == [("ok", 2)]


def test_an_origin_of_which_nothing_changes_is_only_settled(tiny):
    with writer(tiny) as out:
        out.add(Origin("a").end())
    assert tiny.life.seen == ["put settled", "put"]


def test_an_origin_that_spans_checkpoints_stays_pending_until_its_end(tiny):
    origin = Origin("a")
    with writer(tiny, rows=2) as out:
        out.add(*new(origin, "1"))
        out.add(*new(origin, "2"))
        out.checkpoint()
        out.add(*new(origin, "3"))
        assert [row.state for row in tiny.state.sources(tiny.generation)] == ["pending"]
        assert set(tiny.rows()) == {"1", "2"}
        out.add(origin.end())
    assert [(row.state, row.chunks) for row in tiny.state.sources(tiny.generation)] == [("ok", 3)]


def test_a_moved_chunk_keeps_its_vector(tiny):
    origin = Origin("a")
    with writer(tiny) as out:
        out.add(*new(origin, "1", at=5))
        out.add(origin.end())
    moved = Chunk("1", "a", "a", "Section", "rotate", 0, (7, 8), (0, 6), 1)
    with writer(tiny) as out:
        again = Origin("a", tiny.state.sources(tiny.generation)[0], existing={"1": chunk("1")})
        change = again.take(moved)
        assert isinstance(change, Moved)
        out.add(change)
        out.add(again.end())
    assert tiny.rows() == {"1": (moved, vector(5).tolist())}


def test_an_origin_that_is_gone_takes_its_rows_and_its_row(tiny):
    origin = Origin("a")
    with writer(tiny) as out:
        out.add(*new(origin, "1"))
        out.add(origin.end())
    gone = Origin("a", tiny.state.sources(tiny.generation)[0], existing={"1": chunk("1")}, gone=True)
    tiny.life.seen.clear()
    with writer(tiny) as out:
        out.add(gone.end())
    assert tiny.rows() == {} and tiny.state.sources(tiny.generation) == []
    assert tiny.life.seen[0] == "put pending", "a death behind the deletion must be seen by the next run"


def test_an_origin_of_which_nothing_can_be_read_keeps_what_was_indexed(tiny):
    origin = Origin("a")
    with writer(tiny) as out:
        out.add(*new(origin, "1"))
        out.add(origin.end())
    (row,) = tiny.state.sources(tiny.generation)
    bad = Origin("a", row, existing={"1": chunk("1")})
    for at in range(5):
        bad.unread.add(f"line {at} is broken")
    with writer(tiny) as out:
        out.add(bad.end())
    (row,) = tiny.state.sources(tiny.generation)
    assert set(tiny.rows()) == {"1"} and (row.state, row.chunks) == ("failed", 1)
    assert row.reason == "line 0 is broken; line 1 is broken; line 2 is broken; and 2 more"


def test_a_checkpoint_is_due_after_so_many_changes_or_seconds(tiny):
    for parameters, expected in (({"rows": 3}, 2), ({"seconds": 60.0}, 6), ({"rows": 100}, 1)):
        tiny.life.seen.clear()
        origin, now = Origin("a"), [0.0]
        with writer(tiny, **parameters, clock=lambda now=now: now[0]) as out:
            for at in range(6):
                now[0] += 61.0
                out.add(*new(origin, str(at)))
                out._wait()
        assert tiny.life.seen.count("upsert") == expected, parameters


def test_a_checkpoint_is_due_though_nothing_more_comes(tiny):
    """A model may take long for the next vector, and the run be killed meanwhile."""
    written = threading.Event()
    upsert = tiny.store.upsert

    def told(chunks, vectors, stale):
        upsert(chunks, vectors, stale)
        written.set()

    tiny.store.upsert = told
    now = [0.0]
    with writer(tiny, seconds=60.0, clock=lambda: now[0]) as out:
        out.add(*new(Origin("a"), "1"))
        now[0] = 61.0
        assert written.wait(30)
        assert set(tiny.rows()) == {"1"}


def test_checkpoints_become_rarer_where_writing_is_slow(tiny):
    origin, now, sizes = Origin("a"), [0.0], []

    def slow(chunks, vectors, stale):
        sizes.append(len(chunks))
        now[0] += 0.16

    tiny.store.upsert = slow
    with writer(tiny, seconds=0.3, clock=lambda: now[0]) as out:
        for at in range(12):
            now[0] += 0.2
            out.add(*new(origin, str(at)))
            out._wait()
    assert sizes[0] == 2 and set(sizes[1:-1]) == {4}, "a fifth of the time is spent on writing"


def test_an_error_of_a_checkpoint_that_nobody_asked_for_is_raised_later(tiny):
    tried = threading.Event()

    def failing(chunks, vectors, stale):
        tried.set()
        raise StoreError("the disk is full.")

    tiny.store.upsert = failing
    now = [0.0]
    with pytest.raises(StoreError, match="disk is full"), writer(tiny, seconds=60.0, clock=lambda: now[0]) as out:
        out.add(*new(Origin("a"), "1"))
        now[0] = 61.0
        assert tried.wait(30)


def test_one_checkpoint_is_written_while_the_next_is_collected(tiny):
    gate, threads = Gate(), []
    upsert = tiny.store.upsert

    def held(chunks, vectors, stale):
        threads.append(threading.current_thread())
        gate.pass_through()
        upsert(chunks, vectors, stale)

    tiny.store.upsert = held
    origin = Origin("a")
    with writer(tiny) as out:
        out.add(*new(origin, "1"))
        out.checkpoint()
        assert gate.reached.wait(30)
        out.add(*new(origin, "2"))  # does not wait for the one before
        gate.open()
    assert set(tiny.rows()) == {"1", "2"}
    assert threading.current_thread() not in threads and len(set(threads)) == 1


def test_a_checkpoint_that_fails_is_raised_and_nothing_is_settled_behind_it(tiny):
    def failing(chunks, vectors, stale):
        raise StoreError("the disk is full.")

    tiny.store.upsert = failing
    origin = Origin("a")
    with pytest.raises(StoreError, match="disk is full"), writer(tiny) as out:
        out.add(*new(origin, "1"))
        out.checkpoint()
        out.add(origin.end())
        out.checkpoint()
    assert [row.state for row in tiny.state.sources(tiny.generation)] == ["pending"]


def test_what_was_collected_is_written_though_something_else_fails(tiny):
    with pytest.raises(KeyboardInterrupt), writer(tiny) as out:
        out.add(*new(Origin("a"), "1"))
        raise KeyboardInterrupt
    assert set(tiny.rows()) == {"1"}


def test_indexes_are_folded_after_so_many_rows_and_at_the_end(tiny):
    folded = []
    tiny.store.optimise = lambda *, thorough=False: folded.append(thorough)
    origin = Origin("a")
    out = writer(tiny, rows=2, fold=4)
    assert not out.unfolded
    with out:
        for at in range(9):
            out.add(*new(origin, str(at)))
    assert folded == [False, False] and out.unfolded
    out.fold()
    assert folded == [False, False, True] and not out.unfolded


def test_the_parts_of_many_checkpoints_are_joined(tiny, monkeypatch):
    monkeypatch.setattr(writing, "FOLD_PARTS", 3)
    folded = []
    tiny.store.optimise = lambda *, thorough=False: folded.append(thorough)
    origin = Origin("a")
    with writer(tiny, rows=1) as out:
        for at in range(7):
            out.add(*new(origin, str(at)))
    assert folded == [True, True]


def test_sizes_of_changes_add_up_to_that_of_the_origin():
    origin = Origin("a", size=15)
    sizes = [new(origin, str(at))[0].size for at in range(4)]
    assert sizes == [6, 6, 3, 0] and origin.end() == Ended(origin, 0)
    assert Origin("b", size=15).end().size == 15
