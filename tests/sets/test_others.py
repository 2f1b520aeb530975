"""An arm of a search looks in another set of the same home."""

import pytest

import embassay
from embassay.errors import SetNotFound
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.search.parse import parse_pipeline
from embassay.tune.fusion import tune_fusion
from embassay.types import Document

TEXTS = {f"r{at}": f"record {at} about {'keys locks doors'.split()[at % 3]}" for at in range(40)}
THREE = 'near=dense(20) | far=dense(20, set="far") | lexical(20) >> convex(0.5) >> top'


def records(names, **metadata):
    return [{"id": name, "text": TEXTS[name], "metadata": metadata} for name in names]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two sets of the same records by two models, the other one without the last four."""
    with embassay.open(tmp_path_factory.mktemp("two") / ".embassay") as opened:
        opened.set("near").upsert(records(TEXTS, kind="all"), model="hash/64")
        opened.set("far").upsert(records(list(TEXTS)[:36], kind="all"), model="hash/128")
        yield opened


def scores(result, arm):
    return {hit.chunk.document: hit.arms[arm].score for hit in result.hits if arm in hit.arms}


def test_it_finds_what_a_search_of_that_set_finds(home):
    there = home.search("keys", k=20, set="far", mode="dense")
    here = home.search("keys", set="near", pipeline='far=dense(20, set="far") >> top(20)')
    assert [hit.chunk.document for hit in here.hits] == [hit.chunk.document for hit in there.hits]
    assert scores(here, "far") == scores(there, "dense") and not here.notices and here.answered is None
    assert {hit.set for hit in here.hits} == {"near"}


def test_three_arms(home):
    found = home.search("record 7 about locks", set="near", pipeline=THREE)
    assert found.hits[0].chunk.document == "r7" and {"near", "far", "lexical"} == {*found.hits[0].arms}
    assert str(found.pipeline) == str(parse_pipeline(THREE))


def test_a_row_that_is_not_there_is_told(home):
    turned = home.search("keys", set="far", pipeline='dense(40, set="near") >> top(40)')
    assert len(turned.hits) == 36 and turned.notices[0].startswith("4 of 40 chunks found in set 'near' have no")


def test_a_set_that_is_not_there(home):
    with pytest.raises(SetNotFound, match="no set 'fra' in") as refused:
        home.search("keys", set="near", pipeline='dense(5, set="fra") >> top')
    assert "far" in refused.value.remedy.in_shell()


def test_a_model_that_is_gone_is_done_without(home, monkeypatch):
    from embassay.errors import ModelError
    from embassay.sets.opened import OpenSets

    was = OpenSets.embedder

    def embedder(self, generation):
        if generation.set_name == "far":
            raise ModelError("its files are gone.")
        return was(self, generation)

    monkeypatch.setattr(OpenSets, "embedder", embedder)
    with embassay.open(home.folder) as again:
        found = again.search("record 7 about locks", set="near", pipeline=THREE)
    assert found.hits[0].chunk.document == "r7" and "far" not in found.hits[0].arms
    assert found.notices == ('Searched without far=dense(20, set="far"): its files are gone.',)


def test_a_view_shows_no_more_for_it(home):
    home.create_view("even", of="near", where='document in ("r0", "r2", "r4")')
    try:
        found = home.search("keys", set="even", pipeline='dense(20, set="far") >> top(20)')
        assert {hit.chunk.document for hit in found.hits} == {"r0", "r2", "r4"} and not found.notices
    finally:
        home.delete_set("even")


def test_sets_that_are_searched_together(home):
    home.set("more").upsert([*records(["r1"]), {"id": "x", "text": "something else"}], model="hash/64")
    try:
        found = home.search("keys", set=["near", "more"], pipeline='dense(36, set="far") >> top(36)')
        assert len(found.hits) == 36 and {hit.set for hit in found.hits} == {"near"}
    finally:
        home.delete_set("more")


@pytest.fixture(scope="module")
def judged():
    documents = tuple(Document(name, name, text) for name, text in TEXTS.items())
    queries = {f"q{at}": f"record {at} about" for at in range(36)}
    return JudgedSet("made", documents, queries, {f"q{at}": {f"r{at}": 1} for at in range(36)})


def test_it_is_compared_and_tuned(home, judged):
    found = compare([f"near@{THREE}", "near@hybrid", 'near@dense(5, set="far") >> top'], judged, home=home.folder)
    three, two, alone = found.rows
    assert not any(row.error for row in found.rows)
    assert three.metrics["nDCG@10"] > 0.5 and two.metrics["nDCG@10"] > 0.5 > alone.metrics["nDCG@10"]
    costs = [row.costs.bytes_per_million for row in found.rows]
    assert costs == [(64 + 128) * 4e6, 64 * 4e6, 128 * 4e6], "vectors of both sets are paid for"
    tuned = tune_fusion(home, "near", judged, present=parse_pipeline(THREE))
    assert {"near alone", "far alone", "lexical alone"} <= {*tuned.means} and tuned.queries == 36
