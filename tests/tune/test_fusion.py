"""A fusion is fitted to judged queries, and recommended where queries that did not choose it gain."""

import random

import numpy as np
import pytest

import embassay
from embassay.errors import HomeCorrupt, SetNotFound, UsageError
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.tune.fusion import FOLDS, WAYS, apply, cross_validated, tune_fusion
from embassay.types import Document

WORDS = [f"word{at}" for at in range(300)]
MADE = random.Random(3)
DOCUMENTS = tuple(Document(f"d{at}", f"d{at}", " ".join(MADE.choices(WORDS, k=12))) for at in range(300))
QUERIES = {f"q{at}": " ".join(MADE.choices(WORDS, k=6)) for at in range(60)}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with embassay.open(tmp_path_factory.mktemp("made") / ".embassay") as opened:
        opened.set("words").upsert([{"id": one.id, "text": one.text} for one in DOCUMENTS], model="hash/256")
        yield opened


def relevant(home, **search):
    """What a search finds first is what is judged relevant."""
    found = {name: home.search(query, set="words", k=1, **search).hits for name, query in QUERIES.items()}
    return JudgedSet("made", DOCUMENTS, QUERIES, {name: {hits[0].chunk.path: 1} for name, hits in found.items()})


def test_a_better_way_is_found_and_recommended(home):
    told = []
    found = tune_fusion(home, "words", relevant(home, mode="dense"), advance=told.append)
    assert sum(told) == len(QUERIES) == found.queries
    assert found.means["dense alone"] == 1.0 and found.means["lexical alone"] < 0.9
    assert found.recommends and found.held_out.low > 0 and found.decision.verdict == "switch"
    assert found.means[str(found.fitted.stages[0])] > found.means[str(found.present.stages[0])] + 0.05
    assert sum(found.chosen.values()) == FOLDS and str(found.fitted.stages[0]) in found.sentence
    plain = found.to_dict()
    assert plain["recommended"] == str(found.fitted) and parse_pipeline(plain["recommended"]) == found.fitted
    assert {"dense alone", "lexical alone", *plain["folds"]} <= {*plain["means"]}


def test_what_is_measured_is_what_a_search_finds(home):
    """The table of means is that of searches with each fusion, one by one."""
    judged = relevant(home, mode="dense")
    means = tune_fusion(home, "words", judged).means
    for fusion in (str(pipeline().stages[0]), WAYS[3], WAYS[20], "rrf(10)"):
        values = []
        for name, query in QUERIES.items():
            written = f"dense | lexical >> {fusion} >> top(10)"
            hits = home.search(query, set="words", pipeline=parse_pipeline(written)).hits
            ranks = [hit.rank for hit in hits if hit.chunk.path in judged.qrels[name]]
            values.append(1 / np.log2(1 + ranks[0]) if ranks else 0.0)
        assert means[fusion] == pytest.approx(np.mean(values), abs=1e-9)


def test_the_present_way_is_kept_where_it_is_as_good(home):
    found = tune_fusion(home, "words", relevant(home))
    assert found.means[str(found.present.stages[0])] == 1.0 and found.fitted == found.present
    assert (
        not found.recommends and found.to_dict()["recommended"] is None and found.sentence.startswith("Keep adaptive")
    )


def test_noise_is_not_recommended():
    """Of forty ways that differ by chance alone, the best one gains on the queries that chose it, and not on others."""
    table = np.random.default_rng(5).uniform(0, 1, (40, 60))
    picks, gains = cross_validated(table)
    best = table.mean(axis=1).max() - table[0].mean()
    assert best > 0.05 and gains.mean() < best / 2 and len(picks) == FOLDS
    alike = np.repeat(table[:1], 5, axis=0)
    assert cross_validated(alike)[0].tolist() == [0] * FOLDS, "nothing is changed for nothing"


def test_what_is_applied_is_what_the_set_is_searched_by(home, tmp_path):
    """By searches, comparisons and the next fit, until it is taken back; other sets are not touched."""
    judged, of_set = relevant(home, mode="dense"), home.set("words")
    found = tune_fusion(home, "words", judged)
    default, fitted = str(pipeline().stages[0]), str(found.fitted.stages[0])
    assert apply(home, found) and not apply(home, found) and str(of_set.fusion) == fitted != default
    try:
        assert f">> {fitted} >> top(3)" in str(home.search("word1", 3, set="words").pipeline)
        told = home.describe("words").to_dict()["fusion"]
        assert told == {
            "fusion": fitted, "in_use": True, "judged": "made", "digest": judged.digest, "metric": "nDCG@10",
            "gain": found.held_out.mean, "interval": [found.held_out.low, found.held_out.high],
        }  # fmt: skip
        rows = compare(["words@hybrid", "words@hybrid@fusion=adaptive", "words@dense"], judged, home=home.folder).rows
        assert [fitted in row.pipeline for row in rows] == [True, False, False]
        again = tune_fusion(home, "words", judged)
        assert str(again.present.stages[0]) == fitted and not again.recommends, "it is what is held against"
        home.set("others").upsert([{"id": "a", "text": "word1"}], model="hash/256")
        assert default in str(home.search("word1", set="others").pipeline)
        assert default in str(home.search("word1", set=["words", "others"]).pipeline), "together they have none"
        assert fitted in str(home.search("word1", set="words", expand="prf").pipeline)
        assert default in str(home.search("word1", set="words", pipeline=pipeline()).pipeline), "what is said counts"
    finally:
        assert of_set.use_fusion(None) and not of_set.use_fusion(None)
    assert of_set.fusion is None and default in str(home.search("word1", set="words").pipeline)
    assert [one.what for one in of_set.history(2)] == ["fusion reset", "fusion applied"]


def test_it_belongs_to_the_set_and_to_its_space(home):
    """It goes with the set's name, is shown by its views, and rests while the set has another model."""
    home.set("kept").upsert([{"id": f"{at}", "text": WORDS[at]} for at in range(60)], model="hash/256")
    home.create_view("part", of="kept", where='document = "1"')
    home.set("kept").use_fusion("zscore(0.4)")
    home.rename_set("kept", "renamed")
    assert str(home.set("renamed").fusion) == str(home.set("part").fusion) == "zscore(0.4)"
    home.set("part").use_fusion("rrf(10)")
    assert ">> rrf(10) >>" in str(home.search("word1", set="part").pipeline)
    home.delete_set("part")
    home.set("renamed").migrate("hash/64")
    home.set("renamed").switch()
    assert home.set("renamed").fusion is None and home.describe("renamed").to_dict()["fusion"]["in_use"] is False
    home.set("renamed").rollback()
    assert str(home.set("renamed").fusion) == "zscore(0.4)"
    for name in ("renamed", "gone"):
        if name == "renamed":
            home.delete_set("renamed")
        with pytest.raises(SetNotFound):
            home.set(name).use_fusion("rrf(10)")
    home.set("renamed").upsert([{"id": "1", "text": "word1"}], model="hash/256")
    assert home.set("renamed").fusion is None, "a new set of an old name has nothing of it"
    home.delete_set("renamed")


def test_what_is_not_applied(home):
    judged = relevant(home)
    other = parse_pipeline("near=dense(50) | lexical(50) >> rrf >> top")
    sure = tune_fusion(home, "words", relevant(home, mode="dense"), present=other, min_effect=0.001)
    assert sure.recommends
    with pytest.raises(UsageError, match="what was fitted is no hybrid search as every set has it") as refused:
        apply(home, sure)
    assert "--pipeline" in refused.value.remedy.in_shell()
    with pytest.raises(UsageError, match=r"nothing is changed\. Keep adaptive"):
        apply(home, tune_fusion(home, "words", judged))
    for wrong in ("dense(5)", "convex(0.5) >> convex(0.6)", "convex(2)", ""):
        with pytest.raises(UsageError):
            home.set("words").use_fusion(wrong)
    assert home.set("words").fusion is None


def test_a_damaged_row_is_told(home):
    import sqlite3
    from contextlib import closing

    home.set("words").use_fusion("rrf(10)")
    try:
        for column, value in (("fusion", "nonsense(3)"), ("fusion", 5), ("detail", "{"), ("detail", "3")):
            with closing(sqlite3.connect(home.folder / "state.db")) as db, db:
                db.execute(f"UPDATE fusions SET {column} = ?", (value,))
            with pytest.raises(HomeCorrupt):
                home.search("word1", set="words")
            assert home.set("words").use_fusion(None) and home.search("word1", set="words").hits
            home.set("words").use_fusion("rrf(10)")
    finally:
        home.set("words").use_fusion(None)


def test_what_cannot_be_tuned(home):
    few = JudgedSet("few", DOCUMENTS, dict(list(QUERIES.items())[:9]), {f"q{at}": {"d0": 1} for at in range(9)})
    with pytest.raises(UsageError, match="few has 9 judged queries; 30 or more"):
        tune_fusion(home, "words", few)
    with pytest.raises(UsageError, match=r"dense\(10\) >> top\(10\) joins no arms"):
        tune_fusion(home, "words", few, present=pipeline("dense"))
