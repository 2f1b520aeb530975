"""A set keeps the vectors of its tokens because somebody asked for them, and keeps them in step with its rows."""

from __future__ import annotations

from contextlib import closing

import pytest

from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ModelUnsupported
from embassay.events import Warned
from embassay.sets import tokens as module
from embassay.stores.tokens.codes import pack
from tests.tiny import CASES, write_model

PIPELINE = "dense(100) | lexical(100) >> convex(0.75) >> maxsim(60, budget_ms=0) >> top(10)"


@pytest.fixture
def tiny(tmp_path):
    return str(write_model(tmp_path / "tiny", CASES["bert"]))


def file_of(home, name="default"):
    return home._sets.folder.tokens(home._sets.live(name))


def rows(home, name="default"):
    with closing(home._sets.folder.store(home._sets.live(name))) as store, store.snapshot() as version:
        return [chunk for chunks, _ in version.scan(()) for chunk in chunks]


def assert_in_step(home, name="default"):
    """Every chunk has the tokens that its text has now, and nobody else has any."""
    chunks, file = rows(home, name), file_of(home, name)
    found = file.get(chunks)
    assert file.counts()[:2] == (len(chunks), 0)
    made = home.embedder(name).token_states([chunk.indexed for chunk in chunks], "document")
    for chunk, one in zip(chunks, made, strict=True):
        expected = pack(one.ids, one.vectors)
        assert found[chunk.key].ids.tolist() == expected.ids.tolist()
        assert (found[chunk.key].codes == expected.codes).mean() > 0.95, "batches differ in the last bits of a number"


def notices(home, name="default"):
    return home.search("rotate the key", set=name, pipeline=PIPELINE).notices


def test_a_set_without_them_reads_texts_while_it_is_searched(home, docs, tiny):
    home.index([docs], model=tiny)
    assert not file_of(home).exists
    assert "0 of" in notices(home)[0]


def test_they_are_made_with_the_set_and_kept_in_step(home, docs, tiny):
    home.index([docs], model=tiny, tokens=True)
    assert_in_step(home)
    assert not notices(home)
    (docs / "keys.md").write_text("# Keys\n\nKeys are rotated by hand now.\n")
    (docs / "notes.txt").unlink()
    (docs / "new.md").write_text("# New\n\nA query of a document.\n")
    home.index([docs])
    assert_in_step(home)
    home.set("default").upsert([{"id": "1", "text": "Search the index of the model."}])
    assert_in_step(home)
    home.set("default").delete(["1"])
    assert_in_step(home)


def test_they_are_added_to_a_set_without_embedding_anything_else(home, docs, tiny):
    home.index([docs], model=tiny)
    report = home.index([docs], tokens=True)
    assert report.embedded == 0
    assert_in_step(home)
    home.index([docs], tokens=False)
    assert not file_of(home).exists and "0 of" in notices(home)[0]


def test_a_set_that_is_made_on_purpose(home, docs, tiny):
    home.create_set("fast", model=tiny, auto_embed=["on_create"], tokens=True)
    home.set("fast").upsert([{"id": "1", "text": "Search the index of the model."}])
    assert_in_step(home, "fast")


def test_a_run_that_dies_between_is_gone_on_with(home, docs, tiny, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    made = []

    def dies(self, texts, role):
        made.extend(texts)
        if len(made) > 4:
            raise KeyboardInterrupt
        return self.inner.token_states(texts, role)

    home.index([docs], model=tiny)
    with monkeypatch.context() as patched:
        patched.setattr(Wrapper, "token_states", dies)
        with pytest.raises(KeyboardInterrupt):
            home.index([docs], tokens=True)
    file = file_of(home)
    assert 0 < file.counts()[0] < len(rows(home)) and file.counts()[1] > 0
    file.close()
    home.index([docs])
    assert_in_step(home)


def test_rows_that_were_written_by_whoever_did_not_know_are_found(home, docs, tiny):
    home.index([docs], model=tiny, tokens=True)
    file = file_of(home)
    file.forget([chunk.key for chunk in rows(home)[:2]])
    file.note([])
    file.close()
    home.index([docs])
    assert_in_step(home)


def test_a_model_without_them_makes_no_set(home, docs):
    with pytest.raises(ModelUnsupported, match="one vector a text"):
        home.index([docs], model="hash/64", tokens=True)
    with pytest.raises(ModelUnsupported, match="one vector a text"):
        home.create_set("fast", [docs], model="hash/64", tokens=True)
    assert home.sets() == []


def test_another_model_never_meets_the_tokens_of_the_one_before(home, docs, tiny, tmp_path):
    home.index([docs], model=tiny, tokens=True)
    before = file_of(home)
    home.migrate(to=str(write_model(tmp_path / "other", CASES["bert"], seed=9)))
    told = []
    home._sets.events.subscribe(Warned, told.append)
    home.set("default").switch()
    assert "embassay index --set default --tokens" in told[0].text
    assert file_of(home).path != before.path and not file_of(home).exists
    assert "0 of" in notices(home)[0]
    home.index([docs], tokens=True)
    assert_in_step(home)


def test_a_set_that_goes_takes_them_along(home, docs, tiny):
    home.index([docs], model=tiny, tokens=True)
    file = file_of(home)
    file.close()
    home.delete_set("default")
    assert not file.exists
