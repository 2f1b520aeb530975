"""Several sets of a home, searched as one."""

from dataclasses import replace

import numpy as np
import pytest

from embassay.canaries import Anchor
from embassay.errors import SetNotFound, SpaceMismatch, UsageError
from embassay.sets.joint import check_same_space
from tests.sets.indexed import opened


def test_sets_of_one_model(home, docs, model):
    home.index([docs], set="a", model=model)
    home.index([docs / "network"], set="b", model=model)
    found = home.search("proxy server", k=50, set=["a", "b"])
    assert {hit.set for hit in found.hits} == {"a", "b"} and list(found.sets) == ["a", "b"]
    assert {hit.chunk.path for hit in found.hits if hit.set == "b"} == {
        hit.chunk.path for hit in home.search("proxy server", k=50, set="b").hits
    }
    assert home.set("a").search("proxy server", k=50, beside=["b"]).to_dict()["hits"] == found.to_dict()["hits"]
    only = home.search("proxy server", set=["b"])
    assert list(only.sets) == ["b"] and only.set == "b"


def test_what_cannot_be_searched_together(home, docs, model, tmp_path):
    from tests.tiny import CASES, write_model

    home.index([docs], set="a", model=model)
    write_model(tmp_path / "other", CASES["roberta"])
    home.index([docs], set="b", model=str(tmp_path / "other"))
    with pytest.raises(SpaceMismatch, match="sets 'a' and 'b' cannot be searched together") as refused:
        home.search("key", set=["a", "b"])
    for name in ("a", "b"):
        with opened(home, name) as (_, generation, _):
            assert str(generation.space) in refused.value.message
    with pytest.raises(UsageError, match="set 'a' is named twice"):
        home.search("key", set=["a", "a"])
    with pytest.raises(SetNotFound):
        home.search("key", set=["a", "nowhere"])


class Proofs:
    def __init__(self, anchors=(), proven=()):
        self.anchors, self.proven = dict(anchors), dict(proven)

    def anchor(self, generation):
        return self.anchors.get(generation)

    def of(self, generation):
        return self.proven.get(generation, [])


def anchor(seed):
    rng = np.random.default_rng(seed)
    rows = {role: rng.standard_normal((4, 8)).astype(np.float32) for role in ("query", "document")}
    return Anchor(rows, rows)


def test_other_spaces_have_to_be_proven_equal(home, docs, model):
    """By the canaries that both sets keep, in both roles, or by a stand-in that was proven for one of them."""
    from embassay.sets.proofs import ProvenModel

    home.index([docs], model=model)
    with opened(home) as (_, first, _):
        other = replace(first, id=first.id + 1, space=replace(first.space, model="elsewhere/served"))
    same, different = anchor(1), anchor(2)
    half = Anchor({**same.own, "query": different.own["query"]}, {**same.made, "query": different.made["query"]})
    check_same_space(first, other, Proofs(anchors={first.id: same, other.id: same}))
    check_same_space(first, other, Proofs(proven={first.id: [ProvenModel("m", str(other.space), 1.0, "now")]}))
    check_same_space(first, other, Proofs(proven={other.id: [ProvenModel("m", str(first.space), 1.0, "now")]}))
    for proofs in (
        Proofs(),
        Proofs(anchors={first.id: same}),
        Proofs(anchors={first.id: same, other.id: different}),
        Proofs(anchors={first.id: same, other.id: half}),
    ):
        with pytest.raises(SpaceMismatch):
            check_same_space(first, other, proofs)
    dot = replace(other, space=replace(other.space, similarity="dot"))
    with pytest.raises(SpaceMismatch):
        check_same_space(first, dot, Proofs(anchors={first.id: same, dot.id: same}))
