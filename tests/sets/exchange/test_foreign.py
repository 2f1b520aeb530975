"""Vectors that something else has made become records of a set, where its model agrees with them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from embassay.errors import ReadError, SpaceMismatch, UsageError
from tests.tiny import CASES, WORDS, write_model

TEXTS = [" ".join(WORDS[(i * k) % len(WORDS)] for k in range(1, 5)) + f" {i}" for i in range(40)]
LONG = " ".join(WORDS * 4)


@pytest.fixture
def vectors(home, model):
    home.set("any").upsert([{"id": "any", "text": "rotate"}], model=model)
    return home.set("any").embed([*TEXTS, LONG], "document").vectors


@pytest.fixture
def write(tmp_path):
    def written(vectors, texts, format="parquet", **columns):
        rows = [
            {
                "doc": f"d{i}",
                "body": text,
                "emb": None if row is None else list(map(float, row)),
                "lang": "en",
                "tags": ["a", "b"],
            }
            | {name: values[i] for name, values in columns.items()}
            for i, (text, row) in enumerate(zip(texts, vectors, strict=True))
        ]
        file = tmp_path / f"foreign.{format}"
        if format == "parquet":
            pa.parquet.write_table(pa.Table.from_pylist(rows), file)
        elif format == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            file = tmp_path / "foreign"
            file.mkdir()
            np.save(file / "emb.npy", np.array(vectors, np.float64))
            (file / "emb.jsonl").write_text(
                "".join(json.dumps({k: v for k, v in row.items() if k != "emb"}) + "\n" for row in rows)
            )
        return file

    return written


FIELDS = {"id_field": "doc", "text_field": "body"}


@pytest.mark.parametrize("format", ["parquet", "jsonl", "numpy"])
def test_each_row_becomes_a_record(home, model, vectors, write, format):
    report = home.import_set(write(vectors * 3, [*TEXTS, LONG], format), set="old", model=model, **FIELDS)
    assert (report.chunks, report.documents, report.written, report.left_out) == (41, 41, 41, 0)
    old = home.set("old")
    hit = old.search(TEXTS[7], mode="dense", k=1).hits[0].chunk
    assert (hit.document, hit.text, hit.metadata) == ("d7", TEXTS[7], {"lang": "en", "tags": ["a", "b"]})
    (record,) = old.get(["d40"])
    assert record.text == LONG and next(old.chunks("d40")).truncated
    assert [one for one in old.doctor() if one.level == "problem" and one.check != "truncation"] == []
    assert old.upsert([{"id": "d7", "text": "another text"}]).updated == 1 and old.delete(["d8"]) == 1


def test_what_makes_no_record_is_told_and_the_rest_is_imported(home, model, vectors, write):
    rows, texts = [*vectors[:40]], [*TEXTS]
    rows[3], rows[4], texts[5] = None, np.full(32, np.nan), "  "
    file = write(rows, texts, doc=[f"d{i}" if i != 9 else "d1" for i in range(40)])
    report = home.import_set(file, set="old", model=model, **FIELDS)
    assert (report.chunks, report.left_out) == (36, 4)
    assert [row for row, _ in report.reasons] == ["row 3", "row 4", "row 5", "row 9"]


def test_vectors_of_another_model_are_refused_with_the_cosine(home, vectors, write, tmp_path):
    other = str(write_model(tmp_path / "other", CASES["bert"], seed=8))
    with pytest.raises(SpaceMismatch, match=r"cosine -?0\.\d"):
        home.import_set(write(vectors, [*TEXTS, LONG]), set="old", model=other, **FIELDS)
    assert home.sets() == ["any"]


def test_columns_that_cannot_be_told_are_asked_for(home, model, vectors, write):
    file = write(vectors, [*TEXTS, LONG])
    with pytest.raises(UsageError, match="which column holds the ids") as error:
        home.import_set(file, set="old", model=model)
    assert "doc" in error.value.message
    with pytest.raises(UsageError, match="no column 'boy' holds texts"):
        home.import_set(file, set="old", model=model, id_field="doc", text_field="boy")
    assert home.sets() == ["any"]


def test_it_is_gone_on_with_and_mixes_with_nothing(home, model, vectors, write):
    file = write(vectors, [*TEXTS, LONG])
    home.import_set(file, set="old", model=model, **FIELDS)
    again = home.import_set(file, set="old", model=model, **FIELDS)
    assert (again.written, again.chunks) == (0, 41)
    with pytest.raises(UsageError, match="not made by an import"):
        home.import_set(file, set="any", model=model, **FIELDS)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"{", b'{"doc": "1", "body": "x"}\n', b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.npy", "a.lance"])
def test_what_is_no_table_is_refused_in_words(home, model, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ReadError, UsageError)):
        home.import_set(tmp_path / name, set="old", model=model)
    assert not home.holds("old")
