"""A fusion is fitted to judged queries, and recommended where queries that did not choose it gain."""

import random

import numpy as np
import pytest

import embassay
from embassay.errors import UsageError
from embassay.evaluate.data.judged import JudgedSet
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.tune.fusion import FOLDS, WAYS, cross_validated, tune_fusion
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


def test_what_cannot_be_tuned(home):
    few = JudgedSet("few", DOCUMENTS, dict(list(QUERIES.items())[:9]), {f"q{at}": {"d0": 1} for at in range(9)})
    with pytest.raises(UsageError, match="few has 9 judged queries; 30 or more"):
        tune_fusion(home, "words", few)
    with pytest.raises(UsageError, match=r"dense\(10\) >> top\(10\) joins no arms"):
        tune_fusion(home, "words", few, present=pipeline("dense"))
