"""Doctor finds what is wrong, each kind of it made on purpose."""

from dataclasses import replace

import numpy as np
import pytest

import embassay
from embassay.sets.examine import problems
from embassay.stores.values import VECTOR
from tests.sets.indexed import opened
from tests.tiny import CASES, write_model


@pytest.fixture
def home(docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(docs.parent / ".embassay") as opened:
        opened.index([docs], model=model)
        yield opened


@pytest.fixture
def store(home):
    with opened(home) as (_, _, found):
        yield found


def checks(home):
    return {finding.check for finding in problems(home.doctor())}


def first(store):
    chunks, by_label = next(iter(store.snapshot().scan()))
    return chunks, by_label[VECTOR]


def test_a_healthy_set(home):
    assert problems(home.doctor()) == []


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_zero_and_infinite_vectors(home, store, value):
    chunks, vectors = first(store)
    store.upsert(chunks[:1], {VECTOR: np.full_like(vectors[:1], value)})
    assert "vectors" in checks(home)


def test_vectors_of_another_space(home, store):
    chunks, vectors = first(store)
    store.upsert(chunks, {VECTOR: np.roll(vectors, 1, axis=0)})
    assert checks(home) == {"space"}


def test_vectors_of_another_length(home, store):
    chunks, vectors = first(store)
    store.upsert(chunks[:1], {VECTOR: vectors[:1] * 3})
    assert "vectors" in checks(home)


def test_orphans_and_lost_rows(home, store):
    chunks, vectors = first(store)
    store.upsert([replace(chunks[0], key="0" * 32, path="docs/never.md")], {VECTOR: vectors[:1]})
    assert checks(home) == {"orphans"}
    store.delete(["0" * 32, chunks[0].key])
    assert checks(home) == {"rows"}


def test_lost_rows_are_mended_by_what_it_says(home, store, docs):
    chunks, _ = first(store)
    store.delete([chunks[0].key])
    (finding,) = problems(home.doctor())
    assert finding.remedy.in_shell().endswith(f"{chunks[0].path} --set default --checksum")
    done(home)
    assert problems(home.doctor()) == []


def done(home):
    """Run every command that mends a problem, exactly as it is told."""
    for finding in problems(home.doctor()):
        for action in finding.remedy.actions:
            assert action.name == "index", action
            home.index(action.arguments, **dict(action.options))


def test_what_mends_vanished_files_does(home, docs, monkeypatch):
    monkeypatch.chdir(docs.parent)
    (docs / "notes.txt").unlink()
    (docs / "network" / "proxy.md").unlink()
    (docs / "network").rmdir()
    (finding,) = problems(home.doctor())
    assert finding.remedy.in_shell() == "embassay index docs/network docs/notes.txt --set default"
    monkeypatch.chdir(docs)
    done(home)
    assert problems(home.doctor()) == [] and set(home.sources()) == {"docs/app.py", "docs/guide.rst", "docs/keys.md"}


def test_what_mends_a_set_whose_folder_vanished_does(home, docs):
    docs.rename(docs.parent / "moved")
    (finding,) = problems(home.doctor())
    assert finding.message == "5 indexed files are gone." and finding.remedy.actions[0].arguments == (str(docs),)
    done(home)
    assert problems(home.doctor()) == [] and home.sources() == {}


def test_what_mends_many_changed_files_names_their_folder(home, docs, monkeypatch):
    monkeypatch.chdir(docs.parent)
    for at in range(6):
        (docs / f"new{at}.md").write_text(f"# New {at}\n")
    home.index([docs])
    for at in range(6):
        (docs / f"new{at}.md").write_text(f"# New {at}\n\nand changed since it was indexed\n")
    (docs / "keys.md").unlink()
    assert [finding.remedy.in_shell() for finding in problems(home.doctor())] == [
        "embassay index docs/keys.md --set default", "embassay index docs --set default",
    ]  # fmt: skip
    done(home)
    assert problems(home.doctor()) == []


def test_stale_and_missing_files(home, docs):
    (docs / "notes.txt").write_text("something longer than it was before, by far and away")
    (docs / "keys.md").unlink()
    assert checks(home) == {"stale"}
    home.index([docs])
    assert checks(home) == set()


def test_unfinished_runs(home):
    with opened(home) as (state, generation, _):
        row = next(iter(state.sources(generation)))
        state.put(generation, [replace(row, state="pending")])
    assert checks(home) == {"unfinished"}


def test_truncated_chunks(home, store):
    chunks, vectors = first(store)
    store.upsert([replace(chunk, truncated=True) for chunk in chunks], {VECTOR: vectors})
    assert checks(home) == {"truncation"}


def test_repeated_text_is_a_notice(home, docs):
    (docs / "copy.txt").write_text((docs / "notes.txt").read_text())
    home.index([docs])
    levels = {finding.check: finding.level for finding in home.doctor()}
    assert levels == {"duplicates": "notice"}


def test_changed_weights(home, tmp_path):
    write_model(tmp_path / "model", CASES["bert"], seed=9)
    with embassay.open(home.folder) as again:
        assert checks(again) == {"space"}
