"""Vectors that records bring along: scaled, held against the model of the set, and refused where they are of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embassay import Record
from embassay.errors import SpaceMismatch, UsageError
from tests.sets.indexed import rows

TEXTS = {f"t{i}": f"key number {i}" for i in range(12)}


@pytest.fixture
def own(home, model):
    made = home.set("own")
    made.upsert([{"id": "first", "text": "rotate"}], model=model)
    return made


def records(made, scale=1.0):
    vectors = made.embed([*TEXTS.values()], "document").vectors
    return [
        Record(name, text, vector=vector * scale) for (name, text), vector in zip(TEXTS.items(), vectors, strict=True)
    ]


def test_they_are_stored_at_the_length_of_the_set_and_nothing_is_embedded(own, home):
    report = own.upsert(records(own, scale=7.0), space=own.embedder().space)
    assert (report.added, report.embedded, report.given) == (12, 0, 12)
    stored = rows(home, "own")
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-3 for _, vector in stored.values())
    assert own.search("key number 3", mode="dense", k=1).hits[0].chunk.document == "t3"
    assert own.upsert(records(own, scale=7.0)).unchanged == 12 and own.doctor() == []


def test_a_list_of_numbers_is_a_vector(own):
    plain = [{"id": one.id, "text": one.text, "vector": one.vector.tolist()} for one in records(own)]
    assert own.add(plain).given == 12


def test_the_text_alone_may_have_been_embedded_where_there_is_a_title(own):
    assert own.upsert([replace(one, title="Keys") for one in records(own)]).given == 12


def test_without_its_vector_the_model_makes_it_again(own, home):
    before = rows(home, "own")
    own.upsert(records(own))
    assert own.upsert(records(own)[2:]).unchanged == 10
    again = own.upsert([{"id": name, "text": text} for name, text in TEXTS.items()])
    assert (again.updated, again.embedded, again.given) == (12, 12, 0)
    assert before.items() <= rows(home, "own").items()


def test_vectors_of_another_space_are_refused_with_both_names(own, home):
    wrong = [replace(one, vector=one.vector[::-1]) for one in records(own)]
    before = rows(home, "own")
    with pytest.raises(SpaceMismatch, match="has the cosine"):
        own.upsert(wrong)
    space = own.embedder().space
    with pytest.raises(SpaceMismatch) as refused:
        own.upsert(records(own), space=replace(space, model="another", weights="ff"))
    assert str(space) in str(refused.value) and "another@" in str(refused.value)
    assert rows(home, "own") == before and [one.id for one in own.list()] == ["first"]


def test_one_wrong_vector_of_eight_is_found(own):
    good = records(own)[:8]
    with pytest.raises(SpaceMismatch, match="'t5'"):
        own.upsert([*good[:5], replace(good[5], vector=-good[5].vector), *good[6:]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: replace(one, vector=one.vector[:3]), "3 dimensions"),
        (lambda one: replace(one, vector=None), "no vector"),
        (lambda one: replace(one, vector=one.vector * np.nan), "finite"),
        (lambda one: replace(one, vector=one.vector * 0), "not all 0"),
        (lambda one: replace(one, vector=["a"]), "finite"),
    ],
)
def test_what_cannot_be_a_vector_of_the_set_is_refused_before_anything_is_written(own, change, said):
    good = records(own)
    with pytest.raises((UsageError, SpaceMismatch), match=said):
        own.upsert([*good[:9], change(good[9]), *good[10:]])
    assert [one.id for one in own.list()] == ["first"] and own.doctor() == []


def test_a_record_of_several_chunks_cannot_have_one_vector(own):
    text = "rotate the key of the proxy server " * 60
    vector = own.embed([text], "document").vectors[0]
    with pytest.raises(UsageError, match="'long' is cut into"):
        own.upsert([*records(own), Record("long", text, vector=vector)])
    assert [one.id for one in own.list()] == ["first"] and own.doctor() == []
