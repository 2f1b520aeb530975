"""Rows of files of records, and what makes a record of one."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO

import pytest

from embassay.errors import ReadError, UsageError
from embassay.ingest.base import WHOLE, RawRecord, SourceFile
from embassay.ingest.rows import RecordFields, formats, rows_of


def rows(tmp_path, name, data, format=None):
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(rows_of(SourceFile(file, name), format))


def parquet(tmp_path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    return (tmp_path / "a.parquet").read_bytes()


A, B = {"id": "1", "text": "one"}, {"id": "2", "text": "two"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", '{"id": "1", "text": "one"}\n{"id": "2", "text": "two"}\n'),
        ("a.jsonl", '[{"id": "1", "text": "one"}, {"id": "2", "text": "two"}]'),
        ("a.jsonl", '{\n "id": "1",\n "text": "one"\n}\n{\n "id": "2",\n "text": "two"}\n'),
        ("a.json", '[{"id": "1", "text": "one"},\n {"id": "2", "text": "two"}]'),
        ("a.json", '{"total": 2, "items": [{"id": "1", "text": "one"}, {"id": "2", "text": "two"}]}'),
        ("a.csv", "id,text\n1,one\n2,two\n"),
        ("a.csv", 'id;text\n"1";"one"\n2;two\n'),
        ("a.tsv", "id\ttext\n1\tone\n2\ttwo\n"),
        ("a.csv", "\ufeffid,text\r\n1,one\r\n2,two\r\n"),
        ("a.csv", "id,text\n1,one\n2,two\n".encode("utf-16")),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path, name, data):
    assert [row.fields for row in rows(tmp_path, name, data)] == [A, B]


def test_parquet_keeps_types(tmp_path):
    from datetime import UTC, datetime
    from decimal import Decimal

    data = parquet(
        tmp_path, id=[1, 2], text=["one", "two"], tags=[["x"], []], at=[datetime(2024, 1, 2, tzinfo=UTC)] * 2,
        price=[Decimal("1.50"), None], raw=[b"x", b"y"], vector=[[0.5, 1.0], [1.0, 0.5]],
    )  # fmt: skip
    first = rows(tmp_path, "a.parquet", data)[0]
    assert first == RawRecord(1, {
        "id": 1, "text": "one", "tags": ["x"], "at": "2024-01-02T00:00:00+00:00", "price": 1.5, "vector": [0.5, 1.0],
    })  # fmt: skip


def test_lines_of_rows(tmp_path):
    assert [r.line for r in rows(tmp_path, "a.csv", 'id,text\n1,"one\nmore"\n2,two\n')] == [2, 4]
    assert [r.line for r in rows(tmp_path, "a.json", '[\n{"id": 1},\n\n{"id": 2}]')] == [2, 4]


def test_a_bad_line_is_told_and_the_rest_goes_on(tmp_path):
    found = rows(tmp_path, "a.jsonl", '{"id": 1}\nnot json\n[1]\n{"id": 2}\n')
    assert [type(one) for one in found] == [RawRecord, ReadError, ReadError, RawRecord]
    assert "line 2 is not JSON" in str(found[1]) and "line 3: expected an object" in str(found[2])


def test_the_first_row_of_a_table_names_its_fields_whatever_it_looks_like(tmp_path):
    found = rows(tmp_path, "a.csv", "2023,2024\n1,2\n3,4\n")
    assert [row.fields for row in found] == [{"2023": "1", "2024": "2"}, {"2023": "3", "2024": "4"}]


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.csv", "a.json"])
def test_garbage_is_told(tmp_path, name):
    assert all(isinstance(one, ReadError) for one in rows(tmp_path, name, b"\x00\x01PAR1\xff" * 50))


def test_a_file_that_is_gone_is_told(tmp_path):
    assert isinstance(next(rows_of(SourceFile(tmp_path / "a.jsonl", "a"))), ReadError)


def test_which_formats_there_are(tmp_path):
    assert formats() == ["csv", "json", "jsonl", "parquet"]
    with pytest.raises(UsageError, match=r"a\.md is no file of records") as refused:
        rows(tmp_path, "a.md", "x")
    assert "csv, json, jsonl, parquet" in str(refused.value)
    with pytest.raises(UsageError, match="'jsnl' is no format of records"):
        rows(tmp_path, "a.md", "x", "jsnl")
    assert rows(tmp_path, "export.txt", '{"id": 1}\n', "jsonl") == [RawRecord(1, {"id": 1})]


class Generated(SourceFile):
    """A table that is too long to be held in memory, and is made while it is read."""

    size = WHOLE + 1  # type: ignore[assignment]

    def open(self):
        return BytesIO(self.content or b"")


def test_a_long_table_is_read_as_a_short_one_is(tmp_path):
    lines = ["sku,words,note"] + [f'{n},"text {n}\nmore, and ""more""",{n % 7}' for n in range(3000)]
    data = "\n".join(lines).encode()
    short = rows(tmp_path, "a.csv", data)
    long = list(rows_of(Generated(tmp_path / "a.csv", "a.csv", data)))
    assert len(short) == 3000 and long == short


def test_a_quotation_mark_that_is_never_closed_ends_a_long_table_with_a_reason(tmp_path):
    data = b'id,text\n1,"open\n' + b"2,x\n" * 5_000_000
    *_, last = rows_of(Generated(tmp_path / "a.csv", "a.csv", data))
    assert isinstance(last, ReadError) and "no table" in str(last)


def test_memory_does_not_grow_with_the_file(tmp_path):
    file = tmp_path / "a.jsonl"
    line = json.dumps({"id": 1, "text": "x" * 1000})
    with file.open("w") as out:
        out.writelines(line + "\n" for _ in range(30_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in rows_of(SourceFile(file, "a")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30_000 and peak < 4_000_000


def record(fields, **names):
    return RecordFields(**names).record(RawRecord(7, fields))


def test_usual_names_are_found():
    assert record({"_id": 3, "Title": "T", "body": "words", "lang": "en", "none": None}) == {
        "id": "3", "text": "words", "title": "T", "metadata": {"lang": "en"},
    }  # fmt: skip


def test_named_fields_and_those_inside_of_others():
    made = record(
        {"sku": "a", "id": 9, "doc": {"body": "words", "lang": "en"}, "a.b": "x", "v": [1.0, 2.0]},
        id="sku", text="doc.body", title="a.b", vector="v",
    )  # fmt: skip
    assert made == {
        "id": "a", "text": "words", "title": "x", "vector": [1.0, 2.0], "metadata": {"id": 9, "doc": {"lang": "en"}},
    }  # fmt: skip


def test_a_row_is_never_changed():
    fields = {"id": 1, "doc": {"text": "x"}}
    record(fields, text="doc.text")
    assert fields == {"id": 1, "doc": {"text": "x"}}


@pytest.mark.parametrize(
    ("fields", "names", "reason"),
    [
        ({"text": "x"}, {}, "line 7: no id in any of _id, id"),
        ({"id": "", "text": "x"}, {}, "line 7: no id in 'id'"),
        ({"id": True, "text": "x"}, {}, "line 7: no id in 'id'"),
        ({"id": 1, "text": " "}, {}, "line 7: no text in 'text'"),
        ({"id": 1, "text": "x"}, {"text": "body"}, "line 7: no text in 'body'"),
        ({"id": 1, "text": {"a": 1}}, {}, "line 7: no text in 'text'"),
        ({"id": 1, "text": "x"}, {"vector": "v"}, "line 7: no vector in 'v'"),
    ],
)
def test_what_makes_no_record_is_told_with_its_line(fields, names, reason):
    with pytest.raises(ReadError, match=reason):
        record(fields, **names)
