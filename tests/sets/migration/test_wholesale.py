"""A derived generation is filled at once: the same rows as one by one, also over the remains of a call that was killed."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from embassay.sets.build.following import Books, Following
from embassay.sets.build.run import write_changes
from embassay.sets.build.wholesale import derive_all
from embassay.sets.build.writer import Writer
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.target import MigrationTarget
from embassay.stores.base import Derivable
from embassay.stores.values import VECTOR
from tests.sets.migration.test_deriving import embedded, home  # noqa: F401 - fixtures


def rows(books):
    with books.store.snapshot() as version:
        found = {c.key: (c, v) for chunks, by in version.scan() for c, v in zip(chunks, by[VECTOR], strict=True)}
        return found, version.count()


def books_of(home, **how):  # noqa: F811
    sets = home._sets
    begin(sets, "docs", MigrationTarget.of(None, **how))
    live, new = sets.live("docs"), sets.state.generation(sets.state.set("docs").building)
    return Books(sets.state, live, sets.folder.store(live)), Books(sets.state, new, sets.store(new))


def test_all_at_once_is_one_by_one(home):  # noqa: F811
    home.set("docs").upsert([{"id": "m", "text": "With metadata.", "metadata": {"tags": ["a", "b"], "deep": {"n": 1}}}])
    leader, follower = books_of(home, pca=12, dtype="float16")
    assert isinstance(follower.store, Derivable)
    with closing(leader.store):
        with leader.store.snapshot() as version:
            first = next(chunks[:5] for chunks, _ in version.scan())
        follower.store.upsert(first, {VECTOR: np.ones((5, 12), np.float32)})  # as a call that was killed leaves them
        assert derive_all(leader, follower)
        at_once, count = rows(follower)
        assert count == len(at_once) == 61 and not Following(leader, follower).names
        assert not derive_all(leader, follower), "what is settled is not written again"
        assert follower.state.records.get(follower.generation.id, ["m"])["m"].metadata["deep"] == {"n": 1}
        names = [row.path for row in follower.state.sources(follower.generation)]
        follower.state.forget(follower.generation, names)
        follower.store.delete(list(at_once))
        writer = Writer(follower.state, follower.generation, follower.store)
        write_changes(Following(leader, follower), writer, home._sets.embedder(follower.generation))
        one_by_one, _ = rows(follower)
    assert {key: chunk for key, (chunk, _) in at_once.items()} == {key: chunk for key, (chunk, _) in one_by_one.items()}
    assert all(np.allclose(at_once[key][1], vector, atol=1e-6) for key, (_, vector) in one_by_one.items())
