"""What a probe says of a set is what moving it would have shown, and the set stays as it is."""

from __future__ import annotations

import hashlib

import pytest

import embassay
from embassay.errors import SetNotFound, UsageError
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.migration.probe import ProbeOptions, probe
from embassay.types import Document
from tests.conftest import DEFAULT
from tests.evaluate.compare.sample import words_of

SET, OLD, NEW = "docs", "hash/64", f"{DEFAULT}@int8"
"""Hash vectors know nothing of words; the other model does, a little."""
ROWS = 150


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A set of many texts in a space that mixes them up, and the folder that it lies in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"d{n}", "text": " ".join(words_of(n))} for n in range(ROWS)]
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set(SET).upsert(rows, model=OLD)
        opened.set("new").upsert(rows, model=NEW)
    return tmp_path / ".embassay"


@pytest.fixture
def judged():
    queries = {f"q{n}": " ".join(words_of(n)[:3]) for n in range(40)}
    documents = tuple(Document(f"d{n}", f"d{n}", " ".join(words_of(n))) for n in range(ROWS))
    return JudgedSet("made", documents, queries, {f"q{n}": {f"d{n}": 1} for n in range(40)})


def metrics(comparison):
    return {row.name: dict(row.metrics) for row in comparison.rows}


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_it_foretells_what_a_set_in_the_new_space_scores(home, judged, mode):
    """Oracle: a set that was made with the new model."""
    found = probe(SET, NEW, judged, home=home, options=ProbeOptions(mode))
    made = metrics(compare([f"{SET}@{mode}", f"new@{mode}"], judged, home=home))
    seen = metrics(found.comparison)
    assert found.pool.is_whole and not found.notice
    assert seen["stay"] == pytest.approx(made[f"{SET}@{mode}"]) and seen["re-index"] == pytest.approx(
        made[f"new@{mode}"]
    )
    assert seen["stay"]["nDCG@10"] < seen["cascade"]["nDCG@10"] <= seen["re-index"]["nDCG@10"] + 0.05
    assert seen["cascade"]["R@100"] == pytest.approx(seen["stay"]["R@100"]) or mode == "hybrid"


def test_nothing_of_the_set_is_changed(home, judged):
    def contents():
        files = [
            file for file in home.rglob("*") if file.is_file() and not file.name.startswith(("cache.db", "state.db-"))
        ]
        return {str(file): hashlib.blake2b(file.read_bytes()).hexdigest() for file in files}

    before = contents()
    probe(SET, NEW, judged, home=home)
    after = contents()
    assert before and {name: after.get(name) for name in before} == before
    with embassay.open(home) as opened:
        assert opened.sets() == [SET, "new"]


def test_what_it_costs(home, judged):
    found = probe(SET, NEW, judged, home=home, options=ProbeOptions("dense"))
    assert found.reindex.texts == ROWS == found.spent.texts and found.reindex.tokens == found.spent.tokens
    assert found.reindex.usd == 0 and found.reindex.bytes == ROWS * 384 * 4
    assert found.cascade.texts == 100  # as deep as its arm looks
    assert found.remembered.texts <= ROWS / 40
    assert found.break_even == 2  # 150 texts of one length against 100 a query
    gain = found.gain("re-index").difference
    assert found.price_of_a_point.seconds == pytest.approx(found.reindex.seconds * 0.01 / gain)
    said = found.to_dict()
    assert said["break_even_queries"] == 2 and said["estimated"] is False
    assert [row["name"] for row in said["comparison"]["candidates"]] == ["stay", "cascade", "re-index"]
    assert said["comparison"]["pairs"][0]["interval"]


def test_a_large_set_is_estimated(home, judged):
    """What was not embedded is counted: the estimate is near the whole set, and below the pool taken as it is."""
    options = ProbeOptions("dense", whole=10, sample=12)
    judged = JudgedSet("few", (), dict([*judged.queries.items()][:40]), judged.qrels)
    whole = probe(SET, NEW, judged, home=home, options=ProbeOptions("dense"))
    found = probe(SET, NEW, judged, home=home, options=options)
    assert len(found.pool.chunks) <= ROWS and sum(found.pool.weights) == pytest.approx(ROWS)
    assert found.reindex.texts == ROWS and found.reindex.tokens == pytest.approx(whole.reindex.tokens, rel=0.05)
    seen, true = metrics(found.comparison), metrics(whole.comparison)
    assert seen["stay"] == true["stay"] and seen["cascade"] == true["cascade"]
    assert seen["re-index"]["nDCG@10"] == pytest.approx(true["re-index"]["nDCG@10"], abs=0.05)


def test_what_cannot_be_probed(home, judged):
    with pytest.raises(UsageError, match="is in the space"):
        probe(SET, OLD, judged, home=home)
    with pytest.raises(SetNotFound):
        probe("none", NEW, judged, home=home)
    with pytest.raises(UsageError, match="lacks 1 of the 1 judged documents"):
        probe(SET, NEW, JudgedSet("x", (), {"q": "a"}, {"q": {"gone": 1}}), home=home)


def test_a_search_by_words_is_the_same_in_both_spaces(home, judged):
    """What words find can be scored in the new space all the same."""
    seen = metrics(probe(SET, NEW, judged, home=home, options=ProbeOptions("lexical")).comparison)
    assert seen["stay"] == seen["re-index"] != seen["cascade"]
