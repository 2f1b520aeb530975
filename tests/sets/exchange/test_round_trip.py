"""A set that is exported and imported again is the same set, to the last bit of its vectors."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from embassay.errors import ReadError, SetNotFound, SpaceMismatch, UsageError
from embassay.stores.values import VECTOR
from tests.sets.indexed import opened
from tests.tiny import CASES, write_model

FORMATS = ("jsonl", "numpy", "parquet")


@pytest.fixture
def full(home, docs, model):
    """A set with files and records, some with metadata that is nested, and one with a vector of its own."""
    made = home.set("docs")
    made.index([docs], model=model, chunk_tokens=24)
    made.upsert(
        [{"id": "r1", "text": "rotate the key " * 12, "title": "Keys", "metadata": {"a": {"b": [1, 2.5, "ü"]}}}]
    )
    vector = made.embed(["a vector of its own"], "document").vectors[0]
    made.upsert([{"id": "own", "text": "a vector of its own", "vector": vector}])
    with opened(home, "docs") as (_, _, store):
        store.optimise(thorough=True)  # BM25 of rows that no index has yet is another one
    return made


def exact(home, name):
    with opened(home, name) as (_, _, store), store.snapshot() as version:
        blocks = [(chunks, by_label[VECTOR]) for chunks, by_label in version.scan()]
    return {
        chunk.key: (chunk, vector.tobytes())
        for chunks, rows in blocks
        for chunk, vector in zip(chunks, rows, strict=True)
    }


@pytest.mark.parametrize("format", FORMATS)
def test_every_row_comes_back_and_search_gives_the_same_hits(full, home, docs, tmp_path, format):
    report = full.export(tmp_path / "out", format=format)
    assert (report.chunks, report.documents) == (full.status().chunks, 7)
    found = home.import_set(tmp_path / "out", set="copy")
    assert (found.chunks, found.written, found.left_out) == (report.chunks, report.chunks, 0)
    assert found.least_cosine > 0.999 and found.compared >= 8
    assert exact(home, "copy") == exact(home, "docs")
    copy = home.set("copy")
    for query in ("rotate a key", "proxy server", "connect"):
        hits = [(hit.chunk, hit.score) for hit in full.search(query).hits]
        assert hits and [(hit.chunk, hit.score) for hit in copy.search(query).hits] == hits
    assert copy.get(["r1", "own"]) == full.get(["r1", "own"])
    assert copy.sources() == full.sources() and copy.coverage() == full.coverage()
    assert copy.doctor() == []


def test_files_of_a_copy_are_looked_for_nowhere_until_they_are_indexed(full, home, docs, tmp_path):
    full.export(tmp_path / "out")
    home.import_set(tmp_path / "out", set="copy")
    (docs / "notes.txt").unlink()
    copy, before = home.set("copy"), exact(home, "copy")
    assert copy.doctor() == []
    report = copy.index([docs])
    assert (report.files, report.embedded, report.removed) == (4, 0, 0)
    assert exact(home, "copy") == before and copy.doctor() == []
    assert copy.delete(["docs/notes.txt"]) == 1
    assert copy.index([docs]).embedded == 0 and "docs/notes.txt" not in copy.sources()
    with pytest.raises(UsageError, match="no such file"):
        home.set("docs2").index([docs / "notes.txt"])


def test_the_model_that_is_named_has_to_agree(full, home, tmp_path):
    full.export(tmp_path / "out")
    other = str(write_model(tmp_path / "other", CASES["bert"], seed=8))
    with pytest.raises(SpaceMismatch, match=r"cosine -?0\.\d"):
        home.import_set(tmp_path / "out", set="copy", model=other)
    assert home.sets() == ["docs"]


def test_what_is_there_is_not_overwritten(full, home, tmp_path):
    full.export(tmp_path / "out")
    with pytest.raises(UsageError, match="holds an export already"):
        full.export(tmp_path / "out")
    assert full.export(tmp_path / "out", format="numpy", overwrite=True).format == "numpy"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "chunks.jsonl", "documents.jsonl", "space.json", "vectors.npy",
    ]  # fmt: skip
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="is no export"):
        full.export(tmp_path / "mine", overwrite=True)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    home.set("third").upsert([{"id": "mine", "text": "rotate"}], model=full.embedder().name)
    with pytest.raises(UsageError, match="is there already"):
        home.import_set(tmp_path / "out", set="third")
    assert home.set("third").status().chunks == 1


@pytest.mark.parametrize("format", FORMATS)
def test_damage_is_noticed_and_leaves_no_set(full, home, tmp_path, format):
    out = tmp_path / "out"
    full.export(out, format=format)
    lines = (out / "documents.jsonl").read_text().splitlines(keepends=True)
    for damaged in (
        lines[:-1],
        [*lines, lines[0]],
        ["{}\n", *lines[1:]],
        [lines[0].replace('"size": ', '"size": "'), *lines[1:]],
    ):
        (out / "documents.jsonl").write_text("".join(damaged))
        with pytest.raises(ReadError, match="damaged"):
            home.import_set(out, set="copy")
    (out / "documents.jsonl").write_text("".join(lines))
    file = next(file for file in out.iterdir() if file.name in ("vectors.npy", "chunks.jsonl", "chunks.parquet"))
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ReadError):
        home.import_set(out, set="copy")
    assert home.sets() == ["docs"]


def test_a_vector_that_was_exchanged_is_noticed(full, home, tmp_path):
    full.export(tmp_path / "out", format="numpy")
    matrix = np.load(tmp_path / "out" / "vectors.npy")
    matrix[[0, 1]] = matrix[[1, 0]]
    np.save(tmp_path / "out" / "vectors.npy", matrix)
    with pytest.raises((SpaceMismatch, ReadError)):
        home.import_set(tmp_path / "out", set="copy")
    with pytest.raises(SetNotFound):
        home.set("copy").status()


def test_parquet_says_what_it_holds(full, tmp_path):
    from pyarrow.parquet import ParquetFile

    full.export(tmp_path / "out")
    said = json.loads(ParquetFile(tmp_path / "out" / "chunks.parquet").metadata.metadata[b"embassay"])
    assert said == json.loads((tmp_path / "out" / "space.json").read_text())
    assert said["space"]["digest"] == full.embedder().space.digest and said["chunks"] == full.status().chunks


def test_an_import_that_stopped_is_gone_on_with(full, home, tmp_path, monkeypatch):
    from embassay.sets.build.writer import Writer

    full.export(tmp_path / "out")
    write, calls = Writer._write, []

    def dies(self, collected):
        calls.append(collected)
        if len(calls) > 1:
            raise KeyboardInterrupt
        write(self, collected)

    monkeypatch.setattr(Writer, "_write", dies)
    monkeypatch.setattr("embassay.sets.build.writer.CHECKPOINT_ROWS", 4)
    monkeypatch.setattr(Writer.__init__, "__kwdefaults__", {**Writer.__init__.__kwdefaults__, "rows": 4})
    with pytest.raises(KeyboardInterrupt):
        home.import_set(tmp_path / "out", set="copy")
    monkeypatch.undo()
    there = home.set("copy").status().chunks
    assert 0 < there < full.status().chunks
    report = home.import_set(tmp_path / "out", set="copy")
    assert report.written == full.status().chunks - there
    assert exact(home, "copy") == exact(home, "docs") and home.set("copy").doctor() == []
    assert home.import_set(tmp_path / "out", set="copy").written == 0
    shutil.rmtree(tmp_path / "out")


def test_of_vectors_that_a_pca_reduced_it_is_said_why_they_are_not_taken(home, tmp_path):
    texts = ({"id": f"r{at}", "text": f"Record {at} says how key {at * 7} is kept."} for at in range(40))
    home.set("lean").upsert(texts, model="hash/64")
    home.set("lean").migrate(pca=16)
    home.set("lean").switch()
    home.set("lean").export(tmp_path / "out")
    with pytest.raises(SpaceMismatch, match=r"16 dimensions; those of .* have 64") as error:
        home.import_set(tmp_path / "out", set="copy")
    assert "reduced by a PCA" in str(error.value.remedy) and "copy" not in home.sets()


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_vectors_that_are_kept_in_fewer_bytes_come_back(home, tmp_path, dtype):
    texts = [f"Record {at} says how key {at * 7} is kept." for at in range(40)]
    home.set("lean").upsert(({"id": f"r{at}", "text": text} for at, text in enumerate(texts)), model="hash/64")
    home.set("lean").migrate(dtype=dtype)
    home.set("lean").switch()
    home.set("lean").export(tmp_path / "out")
    home.import_set(tmp_path / "out", set="copy")
    assert {key: vector for key, (_, vector) in exact(home, "copy").items()} == {
        key: vector for key, (_, vector) in exact(home, "lean").items()
    }
    found = home.set("copy").search(texts[7], k=1, mode="dense").hits
    assert [hit.chunk.document for hit in found] == ["r7"]
