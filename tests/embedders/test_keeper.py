"""Vectors are found again by all that decides them, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.embedders.keeper import SPLIT, TRUNCATED, Keeper, Kept, Keys
from embassay.embedders.providers.hash import HashEmbedder

SPACE = HashEmbedder(64).space
ONE = Kept(np.eye(1, 64, dtype=np.float32).tobytes(), 3)


class Shelf(dict):
    """A vault in memory."""

    def get(self, keys, ttl=None):
        return {key: self[key] for key in keys if key in self}

    def put(self, rows):
        self.update(rows)

    def tell(self, hits, misses):
        self.told = (hits, misses)


def keys(role="document", on_long="truncate", max_tokens=10, precision="f32", space=SPACE) -> Keys:
    return Keys(space, precision, role, on_long, max_tokens)


def test_keys_are_those_of_the_caches_that_people_have():
    """What was paid for under an earlier version is found by this one."""
    made = keys(max_tokens=1 << 30).of(["a text", "", "Schl\u00fcssel \ud83d"])
    assert [key.hex() for key in made] == [
        "3353becc910c00d7281015090fa49601",
        "589fbfbe83edd7ff7ac5a8815ff35514",
        "df2a67ce499ce2de60a41319966b2a90",
    ]
    assert keys("query").of(["a text"])[0].hex() == "58deba9692aa4be98a41c7e01b2818f7"
    long = [keys(on_long=policy, max_tokens=1 << 30).of_long(made[0]).hex() for policy in ("truncate", "split")]
    assert long == ["a7055d4eead04210a8aeae440ba6c97c", "34e598e37fa3377a4b5684ee519abcfc"]


@pytest.mark.parametrize(
    "other", [{"role": "query"}, {"precision": "int8"}, {"space": HashEmbedder(128).space}], ids=lambda o: next(iter(o))
)
def test_role_precision_and_space_are_part_of_the_key(other):
    keeper = Keeper(Shelf())
    keeper.keep(keys(), {keys().of(["a"])[0]: ONE})
    assert keeper.find(keys(), keys().of(["a"]))
    assert not keeper.find(keys(**other), keys(**other).of(["a"]))


def test_a_whole_text_is_found_while_the_limit_admits_it():
    keeper = Keeper(Shelf())
    (key,) = keys().of(["a"])
    keeper.keep(keys(), {key: ONE})
    assert keeper.find(keys(on_long="split"), [key]) == {key: ONE}
    assert not keeper.find(keys(max_tokens=2), [key])


@pytest.mark.parametrize(("policy", "long"), [("truncate", TRUNCATED), ("split", SPLIT)])
def test_a_long_text_is_found_under_its_policy_and_limit_only(policy, long):
    keeper = Keeper(Shelf())
    (key,) = keys().of(["a"])
    kept = Kept(ONE.vector, 30, long)
    keeper.keep(keys(on_long=policy), {key: kept})
    assert keeper.find(keys(on_long=policy), [key]) == {key: kept}
    for other in {"truncate", "split", "error"} - {policy}:
        assert not keeper.find(keys(on_long=other), [key])
    assert not keeper.find(keys(on_long=policy, max_tokens=11), [key])


def test_what_arrived_is_not_put_a_second_time():
    shelf = Shelf()
    keeper = Keeper(shelf)
    vectors = [np.ones(64, np.float32), np.zeros(64, np.float32)]
    keeper.arrive(keys(), ["a", "long"], vectors, [3, 30], [False, True])
    stored = dict(shelf)
    assert len(stored) == 2
    shelf.clear()
    a, long = keys().of(["a", "long"])
    keeper.keep(keys(), {a: ONE, long: Kept(ONE.vector, 30, TRUNCATED)})
    assert not shelf, "it is there already"
    keeper.keep(keys(), {a: ONE})
    assert list(shelf) == [a], "only the call that it arrived for is spared the work"


def test_what_is_found_is_counted():
    shelf = Shelf()
    keeper = Keeper(shelf)
    a, b, c = keys().of("abc")
    keeper.keep(keys(), {a: ONE})
    keeper.find(keys(), [a, b, c])
    assert shelf.told == (1, 2)
