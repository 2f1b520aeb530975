"""What is wrong with foreign vectors is named, with the rows: each fault is put into vectors that are well."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import embassay
from embassay import examine_vectors
from tests.tiny import CASES, WORDS, write_model

ROWS = 300
TEXTS = [
    " ".join(WORDS[(i * k + j) % len(WORDS)] for k in range(1, 5)) + f" {i} {j}"
    for j in range(2)
    for i in range(ROWS // 2)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(folder):
    return str(write_model(folder / "model", CASES["bert-prompts"]))


@pytest.fixture(scope="module")
def made(model):
    with embassay.Session() as session:
        embedder = session.models.get(f"{model}@f32")
        return {role: embedder.embed(TEXTS, role).vectors for role in ("document", "query")}


@pytest.fixture(scope="module")
def other(folder):
    path = str(write_model(folder / "other", CASES["bert-prompts"], seed=8))
    with embassay.Session() as session:
        return session.models.get(f"{path}@f32").embed(TEXTS, "document").vectors


@pytest.fixture
def examined(model, tmp_path):
    def examine(vectors, texts=TEXTS, **options):
        file = tmp_path / "vectors.parquet"
        rows = [None if row is None else list(map(float, row)) for row in vectors]
        pa.parquet.write_table(
            pa.table({"id": range(len(texts)), "body": texts, "emb": pa.array(rows, pa.list_(pa.float32()))}), file
        )
        before = file.read_bytes()
        report = examine_vectors(file, model=model, **options)
        assert file.read_bytes() == before and sorted(one.name for one in tmp_path.iterdir() if one.name != "xdg") == [
            "vectors.parquet"
        ]
        json.dumps(report.to_dict(), allow_nan=False)
        return report

    return examine


def checks(report):
    return {finding.check for finding in report.findings}


def only(report, check):
    (found,) = [finding for finding in report.findings if finding.check == check]
    assert checks(report) == {check}, report.findings
    return found


def test_vectors_that_are_well(examined, made):
    report = examined(made["document"])
    assert (report.findings, report.role, report.rows) == ([], "document", ROWS)
    assert report.agreeing == report.compared == 200 and report.least_cosine > 0.99 and report.is_well


def test_queries_are_no_documents(examined, made):
    report = examined(made["query"])
    found = only(report, "role")
    assert (report.role, found.count, found.of) == ("query", 200, 200)


def test_two_models_are_mixed_and_the_rows_are_named(examined, made, other):
    vectors = made["document"].copy()
    strange = sorted(np.random.default_rng(1).choice(ROWS, 30, replace=False).tolist())
    vectors[strange] = other[strange]
    found = only(examined(vectors, sample=ROWS), "mixed")
    assert (list(found.rows), found.count) == (strange, 30) and "7.1% to 13.9%" in found.message


def test_an_index_that_was_switched_half_way(examined, made, other):
    vectors = np.concatenate([made["document"][:200], other[200:]])
    found = only(examined(vectors), "mixed")
    assert min(found.rows) >= 200 and "all of them behind row 19" in found.message


def test_another_model(examined, other):
    report = examined(other)
    assert only(report, "model").count == 200 and report.role == "" and report.agreeing == 0


def test_negated(examined, made):
    vectors = made["document"].copy()
    vectors[:60] *= -1
    found = only(examined(vectors, sample=ROWS), "negated")
    assert list(found.rows) == list(range(60))


def test_shuffled_and_shifted(examined, made):
    shifted = only(examined(np.roll(made["document"], 3, axis=0)), "shuffled")
    assert shifted.count > 150 and ("3 rows too far down" in shifted.message or "stands at row" in shifted.message)
    vectors = made["document"].copy()
    vectors[[10, 20]] = vectors[[20, 10]]
    found = only(examined(vectors, sample=ROWS), "shuffled")
    assert list(found.rows) == [10, 20]


def test_rows_without_a_vector_that_says_anything(examined, made):
    vectors = [*made["document"]]
    vectors[7], vectors[9], vectors[11] = None, np.full(32, np.nan), vectors[11] * 0
    vectors[13] = vectors[13][:16]
    report = examined(vectors)
    assert checks(report) == {"broken", "zero"} and report.agreeing == report.compared
    by = {finding.check: list(finding.rows) for finding in report.findings}
    assert by == {"broken": [7, 9, 13], "zero": [11]}


def test_doubled_vectors_and_repeated_rows(examined, made):
    vectors = made["document"].copy()
    vectors[40] = vectors[50] = vectors[30]
    found = next(one for one in examined(vectors, sample=ROWS).findings if one.check == "doubled")
    assert list(found.rows) == [40, 50]
    texts = [*TEXTS, TEXTS[0]]
    report = examined(np.concatenate([made["document"], made["document"][:1]]), texts)
    assert only(report, "repeated").rows == [ROWS] and report.is_well


def test_not_normalised(examined, made):
    vectors = made["document"] * np.linspace(1, 9, ROWS, dtype=np.float32)[:, None]
    report = examined(vectors)
    assert only(report, "length").count > 290 and report.agreeing == 200


def test_cut_and_padded(examined, made):
    cut = examined(made["document"][:, :24])
    assert checks(cut) == {"cut", "length"} and cut.agreeing == cut.compared
    padded = examined(np.pad(made["document"][:, :24], ((0, 0), (0, 40))))
    assert checks(padded) >= {"padded", "cut"} and padded.agreeing == padded.compared
    some = made["document"].copy()
    some[100:110, 16:] = 0
    found = next(one for one in examined(some, sample=50).findings if one.check == "cut")
    assert (found.count, list(found.rows)) == (10, [100])


def test_more_dimensions_than_the_model_has(examined, made):
    report = examined(np.concatenate([made["document"]] * 2, axis=1))
    assert "dimensions" in checks(report) and report.compared == 0


def test_a_table_of_lance(model, made, tmp_path):
    import lancedb

    rows = [
        {"id": i, "text": text, "vector": row.tolist()}
        for i, (text, row) in enumerate(zip(TEXTS, made["document"], strict=True))
    ]
    lancedb.connect(str(tmp_path / "db")).create_table("mine", rows)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "db").rglob("*")}
    report = examine_vectors(tmp_path / "db" / "mine.lance", model=model, sample=20)
    assert report.is_well and report.compared == 20
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "db").rglob("*")} == before


@pytest.mark.parametrize("seed", range(3))
def test_the_sample_is_that_of_its_seed(examined, made, other, seed):
    vectors = made["document"].copy()
    vectors[::2] = other[::2]
    rows = [list(examined(vectors, sample=40, seed=seed).findings[0].rows) for _ in range(2)]
    assert rows[0] == rows[1] and 8 < len(rows[0]) < 32
