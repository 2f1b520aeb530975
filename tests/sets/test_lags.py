"""Which origins of a follower are not as its leader has them."""

from dataclasses import replace
from itertools import product

import pytest

from embassay.sets.lags import WORDS_ONLY
from embassay.sets.spec import SetSpec
from embassay.sets.state import SourceRow, State
from embassay.space import Space

ROW = SourceRow("a", 5, 7, "digest", documents=1, chunks=2, reader="markdown", chars=5)
CONTENT = ("size", "mtime_ns", "digest", "reader", "documents", "chars", "left_out")
WAITING = {"state": "pending", "reason": WORDS_ONLY}


@pytest.fixture
def books(tmp_path):
    """A state and two generations in it."""
    with_state = State(tmp_path / "state.db", create=True)
    space, spec = Space("m", "w", 3), SetSpec("m", "f32", 100, "en", "lance")
    yield with_state, *(with_state.create(name, name, space, spec) for name in ("one", "two"))
    with_state.close()


def differing(books, ours, theirs, names=None):
    state, leader, follower = books
    state.put(leader, [ours] if ours else [])
    state.put(follower, [theirs] if theirs else [])
    found = state.lags.between(leader.id, follower.id, names)
    return [*found.todo], [*found.gone]


@pytest.mark.parametrize("name", CONTENT)
def test_what_an_origin_holds_makes_it_another(books, name):
    other = 9 if isinstance(getattr(ROW, name), int) else "other"
    assert differing(books, ROW, replace(ROW, **{name: other})) == (["a"], [])


@pytest.mark.parametrize("change", [{}, {"chunks": 9}, {"truncated": 1}, {"reason": "two models refuse other texts"}])
def test_what_a_model_decides_does_not(books, change):
    assert differing(books, ROW, replace(ROW, **change)) == ([], [])


def test_origins_that_only_one_has(books):
    assert differing(books, ROW, None) == (["a"], [])
    assert differing((books[0], books[2], books[1]), None, None) == ([], ["a"])


STATES = [
    {},
    {"state": "failed", "reason": "why"},
    {"state": "skipped", "reason": "why"},
    {"state": "pending"},
    WAITING,
]


@pytest.mark.parametrize("ours, theirs", product(STATES, STATES))
def test_states(books, ours, theirs):
    """One that is being written is done in neither; what waits in the leader is like one that the follower embedded."""
    as_embedded = {} if ours == WAITING else ours
    alike = as_embedded.get("state") == theirs.get("state") != "pending"
    assert differing(books, replace(ROW, **ours), replace(ROW, **theirs)) == ([] if alike else ["a"], [])


def test_among_names(books):
    state, leader, follower = books
    rows = [replace(ROW, path=f"p{at}") for at in range(1_200)]
    state.put(leader, rows)
    state.put(follower, [replace(ROW, path="gone"), *rows[:1_100]])
    found = state.lags.between(leader.id, follower.id, ["gone", "never", *(row.path for row in rows[:1_150])])
    assert {*found.todo} == {f"p{at}" for at in range(1_100, 1_150)} and [*found.gone] == ["gone"]
    assert len(found) == 51 and len(state.lags.between(leader.id, follower.id)) == 101


def test_records_are_copied_between_generations(books):
    from embassay.types import Record

    state, leader, follower = books
    records = [Record(f"r{at}", f"text {at}", "t", {"n": at}) for at in range(1_100)]
    state.put(leader, [], records)
    state.records.copy(leader.id, follower.id, [f"r{at}" for at in range(1_000)])
    copied = state.records.get(follower.id, [record.id for record in records])
    assert copied == {record.id: record for record in records[:1_000]}
