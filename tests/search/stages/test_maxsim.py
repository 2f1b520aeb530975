import threading
from dataclasses import replace

import numpy as np
import pytest

from embassay.config.values import Glossary
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.providers.local import open_local
from embassay.embedders.wrap.glossary import Expanded
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ModelUnsupported, StoreError, UsageError
from embassay.search.base import Candidates, Found
from embassay.search.blend import blended
from embassay.search.late import LateModel, TimedTokens, late_scores
from embassay.search.parse import parse_pipeline
from embassay.search.stages.dense import Dense
from embassay.search.stages.maxsim import MaxSim
from embassay.stores.tokens.codes import pack
from embassay.stores.tokens.file import TokenFile
from embassay.stores.values import Scored
from tests.search.fakes import FakeSnapshot, chunk, context
from tests.tiny import CASES, write_model

TEXTS = {
    "a": "the proxy server",
    "b": "a vector space model",
    "c": "rotate the key",
    "d": "search the index",
    "e": "query the document",
}
RANKING = [Scored(name, 1 - at / 10) for at, name in enumerate(TEXTS)]


class Snapshot(FakeSnapshot):
    def fetch(self, refs):
        return [replace(chunk(ref), indexed=TEXTS[ref]) for ref in refs]


class Slow(Wrapper):
    """Waits for `let` before it reads a document, and counts those that it was given."""

    def __init__(self, inner):
        super().__init__(inner)
        self.let, self.given = threading.Event(), 0

    def token_states(self, texts, role):
        if role == "document":
            self.let.wait()
            self.given += len(texts)
        return super().token_states(texts, role)


@pytest.fixture
def model(tmp_path):
    return open_local(str(write_model(tmp_path / "m", CASES["bert"])), precision="f32")


def asked(model, query="rotate a key", files=(), late=None, **options):
    late = late or TimedTokens(lambda: model)
    made = context(Snapshot(), late=lambda: LateModel(late, files), **options)
    made.query = query
    return made, late


def run(stage, made):
    candidates = Candidates({"dense": Found(Dense(), RANKING)}, RANKING)
    return stage.run(made, candidates).ranking


def expected(model, names, weight=0.5, query="rotate a key"):
    """Oracle: every text read at once."""
    read = model.token_states([TEXTS[name] for name in names], "document")
    texts = {name: pack(one.ids, one.vectors) for name, one in zip(names, read, strict=True)}
    return blended(RANKING, late_scores(next(model.token_states([query], "query")), texts), weight)


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_candidates_are_ordered_by_both(model, weight):
    made, _ = asked(model)
    ranking = run(MaxSim(60, weight), made)
    oracle = expected(model, [*TEXTS], weight)
    assert [one.ref for one in ranking] == [one.ref for one in oracle] != [*TEXTS]
    assert [one.score for one in ranking] == pytest.approx([one.score for one in oracle], abs=1e-4)
    assert not made.trace.notices


def test_only_the_first_ones_are_compared(model):
    made, _ = asked(model)
    assert [one.ref for one in run(MaxSim(3), made)] == [one.ref for one in expected(model, "abc")]


def test_what_is_not_read_in_time_keeps_its_place_and_is_there_for_the_next_search(model):
    slow = Slow(model)
    made, late = asked(slow, without_model=True)
    assert run(MaxSim(60, budget_ms=50), made) == RANKING
    assert made.trace.notices == [
        "maxsim(60, budget_ms=50): 0 of 5 candidates were compared within 50 ms; the others keep their places."
    ]
    slow.let.set()
    late.close()
    again, _ = asked(slow, late=late, without_model=True)
    ranking = run(MaxSim(60, budget_ms=60_000), again)
    assert [one.ref for one in ranking] == [one.ref for one in expected(model, [*TEXTS])]
    assert slow.given == 5, "none is read twice"


def test_a_measurement_waits_for_all(model):
    made, _ = asked(model)
    assert [one.ref for one in run(MaxSim(60, budget_ms=0), made)] == [one.ref for one in expected(model, [*TEXTS])]


@pytest.fixture
def file(tmp_path, model):
    """The tokens of the first three texts."""
    made = TokenFile(tmp_path / "t.tokens", "space")
    made.create()
    texts = {name: TEXTS[name] for name in "abc"}
    read = model.token_states([*texts.values()], "document")
    made.put(texts, {name: pack(one.ids, one.vectors) for name, one in zip(texts, read, strict=True)})
    return made


def test_kept_tokens_are_not_made_again(model, file):
    slow = Slow(model)
    slow.let.set()
    made, _ = asked(slow, files=[file])
    assert [one.ref for one in run(MaxSim(), made)] == [one.ref for one in expected(model, [*TEXTS])]
    assert slow.given == 2


def test_kept_tokens_of_another_text_or_space_are_not_used(model, file, monkeypatch):
    slow = Slow(model)
    slow.let.set()
    made, _ = asked(slow, files=[TokenFile(file.path, "another space")])
    run(MaxSim(), made)
    assert slow.given == 5
    monkeypatch.setitem(TEXTS, "a", "another text")
    made, _ = asked(slow, files=[file])
    run(MaxSim(), made)
    assert slow.given == 5 + 3


def test_a_damaged_file_is_a_notice(model, file):
    file.close()
    file.path.write_bytes(b"no database" * 1000)
    made, _ = asked(model, files=[file], without_model=True)
    assert [one.ref for one in run(MaxSim(60, budget_ms=60_000), made)] == [
        one.ref for one in expected(model, [*TEXTS])
    ]
    assert "is damaged" in made.trace.notices[0] and "index(tokens=True)" in made.trace.notices[0]
    made, _ = asked(model, files=[file])
    with pytest.raises(StoreError, match="is damaged"):
        run(MaxSim(), made)


def test_a_query_without_tokens_changes_nothing(model):
    made, _ = asked(model, query=" ")
    assert run(MaxSim(), made) == RANKING


def test_nothing_found_nothing_asked():
    assert MaxSim().run(context(), Candidates()) == Candidates()


def test_a_model_without_token_vectors_says_so():
    made, _ = asked(HashEmbedder(64))
    with pytest.raises(ModelUnsupported, match="one vector a text") as caught:
        run(MaxSim(), made)
    assert "maxsim" in str(caught.value.remedy)
    with pytest.raises(ModelUnsupported, match="no model"):
        run(MaxSim(), context(Snapshot()))


def test_an_error_while_texts_are_read(model):
    class Failing(Wrapper):
        def token_states(self, texts, role):
            if role == "document":
                raise ModelUnsupported("it broke.")
            return super().token_states(texts, role)

    made, _ = asked(Failing(model), without_model=True)
    assert run(MaxSim(), made) == RANKING
    assert "maxsim(60) reads no more texts: it broke." in made.trace.notices[0]
    made, _ = asked(Failing(model))
    with pytest.raises(ModelUnsupported, match="it broke"):
        run(MaxSim(), made)


def test_terms_of_a_glossary_are_spelled_out_for_tokens_too(model):
    expanded = Expanded(model, Glossary(terms={"key": "vector"}, apply_to="query"))
    (made,) = expanded.token_states(["rotate the key"], "query")
    (spelled,) = model.token_states(["rotate the key (vector)"], "query")
    assert made.ids.tolist() == spelled.ids.tolist()
    (document,) = expanded.token_states(["rotate the key"], "document")
    np.testing.assert_array_equal(document.ids, next(model.token_states(["rotate the key"], "document")).ids)


def test_where_it_stands():
    chosen = parse_pipeline("dense(100) | lexical(100) >> convex(0.75) >> maxsim(60) >> top(10)")
    assert str(chosen) == "dense(100) | lexical(100) >> convex(0.75) >> maxsim(60) >> top(10)"
    with pytest.raises(UsageError, match="behind the stage that joins"):
        parse_pipeline("dense(100) | lexical(100) >> maxsim(60) >> convex(0.75) >> top(10)")
    with pytest.raises(UsageError, match="depth is 0"):
        MaxSim(0)
