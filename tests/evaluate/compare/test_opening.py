"""Candidates by name: models and sets of a home, compared on judged data."""

from pathlib import Path

import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.opening import Options, compare, open_systems
from embassay.evaluate.compare.paired import compare_systems
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.home import open_home
from tests.conftest import DEFAULT
from tests.evaluate.compare.sample import BETTER, WORSE, words_of


def test_sets(indexed):
    from embassay.evaluate.data.saved import read_queries

    data = read_queries(indexed / "queries.jsonl")
    found = compare(["small", "large@lexical", "large"], data)
    assert found.verdict == "switch" and found.rows[1].metrics["RR@10"] > found.rows[0].metrics["RR@10"]
    assert found.rows[1].pipeline.startswith("lexical(")
    change = found.changed(found.deciding[0])[0]
    assert change.hits_b[0] in data.qrels[change.query] and "word" in found.title(change.hits_b[0])


def test_a_judged_set_of_the_same_folder(indexed):
    from embassay.evaluate.judge.make import make_draft
    from embassay.evaluate.judge.passages import read_passages
    from embassay.evaluate.judge.writing import add_judgment, write_judged_set

    passages = read_passages([Path("docs")], lambda file: file.as_posix())
    write_judged_set(Path("judged"), make_draft(passages, 0))
    for n in range(25):
        add_judgment(Path("judged"), " ".join(words_of(n)[:3]), [f"docs/note{n}.txt"])
    found = compare(["small", "large@lexical", BETTER], "judged")
    assert not any(row.error for row in found.rows) and found.verdict == "switch"
    _, large, model = found.rows
    assert large.metrics["nDCG@10"] == pytest.approx(model.metrics["nDCG@10"], abs=0.05), "a set and its own model"


def test_sets_of_different_documents_are_refused(indexed):
    with pytest.raises(
        UsageError, match=r"different documents: \d+ only in 'small', 0 only in 'other', 0 with another"
    ):
        with open_systems(["small", "other"]):
            pass
    (indexed / "docs" / "notes.txt").write_text("Something else entirely.\n")
    with open_home() as home:
        home.index(["docs"], set="large")
    with pytest.raises(
        UsageError, match=r"0 only in 'small', 0 only in 'large', 1 with another content, first docs/notes"
    ):
        with open_systems(["small", "large"]):
            pass


def test_judged_documents_that_a_set_lacks(indexed):
    data = JudgedSet("q", (), {"a": "b"}, {"a": {"docs/none.md#L1-3": 1, "docs/keys.md": 1}})
    with pytest.raises(UsageError, match=r"'small' lacks 1 of the 2 judged documents, first docs/none.md"):
        compare(["small", "large"], data)
    with pytest.raises(UsageError, match="'hash/64' is no set"):
        compare(["small", WORSE], JudgedSet("q", (), {"a": "b"}, {"a": {"docs/keys.md": 1}}))


def test_options_that_sets_cannot_have(indexed):
    data = JudgedSet("q", (), {"a": "b"}, {"a": {"docs/keys.md": 1}})
    for options in (Options(chunks=True), Options(drop_same_id=True)):
        with pytest.raises(UsageError, match="it is searched as it is"):
            compare(["small", "large"], data, options=options)


def test_a_set_whose_model_fails_says_so(indexed, monkeypatch):
    """A search would go on by words; a measurement must not pretend."""
    from embassay.embedders.wrap.wrapper import Wrapper
    from embassay.errors import ProviderDown

    def broken(self, *args, **kwargs):
        raise ProviderDown("the model is out of reach.")

    data = JudgedSet("q", (), {"a": "rotate"}, {"a": {"docs/keys.md": 1}})
    with open_systems(["small@hybrid", "large@lexical"]) as systems:
        model = systems[0].embedder
        while isinstance(model, Wrapper):
            model = model.inner
        monkeypatch.setattr(type(model), "stream", broken)
        found = compare_systems(data, systems)
    assert "out of reach" in found.rows[0].error and not found.rows[1].error


def test_precisions_of_a_real_model(judged):
    found = compare([f"{DEFAULT}@f32", f"{DEFAULT}@int8"], judged, options=Options("dense"))
    assert found.rows[0].space == found.rows[1].space, "precision is not identity"
    assert found.rows[0].costs.texts_per_second > 0 and found.rows[0].costs.truncated == 0.0
    assert np.isfinite(found.rows[0].costs.latency_ms["p95"])


def test_scifact_switches_to_hybrid(shared):
    """On the first 900 documents and what they answer, to be quick; the whole set is in the benchmarks."""
    whole = read_judged(shared / "scifact", "train")
    part = {d.id: d for d in whole.documents[:900]}
    qrels = {q: g for q, g in whole.qrels.items() if all(d in part for d in g)}
    data = JudgedSet("scifact/part", tuple(part.values()), {q: whole.queries[q] for q in qrels}, qrels)
    found = compare([f"{DEFAULT}@int8", f"{DEFAULT}@int8@hybrid"], data)
    (pair,) = found.deciding
    assert len(qrels) > 100 and pair.interval[0] > 0 and pair.p < 0.05
    assert (found.verdict, found.winner) == ("switch", f"{DEFAULT}@int8@hybrid")
