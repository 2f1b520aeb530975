"""JSON lines: whatever the fields of a record are, what people wrote in them is found."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.read import read
from embassay.types import Document


def read_lines(tmp_path, data, name="a.jsonl"):
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read(SourceFile(file, name)))


@pytest.mark.parametrize(
    ("line", "title", "text"),
    [
        ('{"text": ["Otters swim.", "Beavers build."]}', "", "Otters swim.\n\nBeavers build."),
        ('{"text": {"en": "storks", "de": ["Störche", "und mehr"]}}', "", "en: storks\nde: Störche, und mehr"),
        (
            '{"messages": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "Hold it."}]}',
            "",
            "user: How?\nassistant: Hold it.",
        ),
        (  # ShareGPT
            '{"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]}',
            "",
            "human: Why?\ngpt: Because.",
        ),
        (  # parts of a message, one of them a picture
            '{"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, '
            '{"type": "image_url", "image_url": {"url": "data:image/png;base64,' + "iVBORw0KGgo" * 9 + '"}}]}]}',
            "",
            "user: Look",
        ),
        ('{"text": [{"role": "user", "content": "Hi"}], "topic": "greeting"}', "", "user: Hi\n\ntopic: greeting"),
        ('{"text": "a\ttab"}', "", "a\ttab"),
        ('{"content": null, "body": "cranes"}', "", "cranes"),
        ('{"text": "", "description": "terns", "summary": "birds"}', "", "terns\n\nsummary: birds"),
        ('{"title": "Only a title"}', "", "Only a title"),
        ('{"title": "Terns", "tags": ["sea", "birds"], "meta": {"author": {"name": "Ann"}}}', "Terns", "tags: sea, birds\nname: Ann"),
        ('{"question": "Who flies?", "answer": "Terns do."}', "Who flies?", "Terns do."),
        ('["one", "two"]', "", "one\n\ntwo"),
        ('"three"', "", "three"),
        ('{"text": 42}', "", "42"),
        ('{"text": "gulls", "embedding": [0.1, 0.2], "sha": "0123456789abcdef0123456789abcdef"}', "", "gulls"),
    ],
)  # fmt: skip
def test_records(tmp_path, line, title, text):
    (document,) = read_lines(tmp_path, line + "\n")
    assert (document.title, document.text) == (title, text)


def test_what_is_no_number_is_left_empty_and_told(tmp_path):
    line = '{"id": NaN, "text": "herons", "score": NaN, "other": [Infinity, 1], "big": -1e999}'
    told, document = read_lines(tmp_path, line + "\n")
    assert (document.text, document.title) == ("herons", "")
    assert document.metadata == {"id": None, "score": None, "other": [None, 1], "big": None}
    assert "'score'" in told.reason and "is nan, for which JSON has no number" in told.reason


def test_all_fields_are_metadata(tmp_path):
    (document,) = read_lines(
        tmp_path, '{"_id": "a7", "text": "x", "n": 1, "ok": true, "who": "Ann", "l": [1], "z": null}\n'
    )
    assert document.metadata == {"id": "a7", "n": 1, "ok": True, "who": "Ann", "l": [1]}
    assert "a7" not in document.text, "_id is the key of a record, and no word of it"


WORDS = st.text("abcdeäßжλ漢", min_size=1, max_size=8)
VALUES = st.recursive(
    st.one_of(WORDS, st.lists(WORDS, max_size=4).map(" ".join), st.integers(), st.none(), st.booleans(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    ["id", "title", "text", "body", "question", "answer", "messages", "tags", "meta", "role", "content"]
)


@settings(max_examples=200)
@given(record=st.dictionaries(FIELDS, VALUES, min_size=1, max_size=6))
def test_every_word_of_a_record_is_found(tmp_path_factory, record):
    found = read_lines(tmp_path_factory.mktemp("r"), json.dumps(record) + "\n")
    documents = [one for one in found if isinstance(one, Document)]
    said = "".join(f"{one.title}\n{one.text}\n{one.metadata.get('id', '')}" for one in documents)
    strings, values = [], [record]
    while values:
        value = values.pop()
        strings += value.split() if isinstance(value, str) else []
        values += value if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    assert [word for word in strings if word not in said] == []


def test_values_over_several_lines_and_arrays_are_read_as_well(tmp_path):
    pretty = '{\n "text": "one"\n}\n{\n "text": "two"}\n'
    assert [(d.text, d.source_lines) for d in read_lines(tmp_path, pretty)] == [("one", (1,)), ("two", (4,))]
    array = '[{"text": "one"},\n {"text": "two"}]'
    assert [(d.text, d.source_lines) for d in read_lines(tmp_path, array)] == [("one", (1,)), ("two", (2,))]


def test_what_is_behind_a_break_is_told(tmp_path):
    first, error = read_lines(tmp_path, '[{"text": "one"},\n {"text": oops}]')
    assert first.text == "one" and "behind element 1" in str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(tmp_path, encoding):
    lines = '{"text": "die große Straße"}\n{"text": "das schöne Haus"}\n'
    assert [d.text for d in read_lines(tmp_path, lines.encode(encoding))] == ["die große Straße", "das schöne Haus"]


def test_a_broken_character_is_told(tmp_path):
    data = '{"text": "größer und schöner"}\n'.encode() * 20 + b'{"text": "br\xffken"}\n'
    *documents, lost = read_lines(tmp_path, data)
    assert all(isinstance(document, Document) for document in documents) and len(documents) == 21
    assert isinstance(lost, LeftOut) and lost.chars == 1


def test_commas_behind_lines(tmp_path):
    assert [document.text for document in read_lines(tmp_path, '{"text": "one"},\n{"text": "two"},\n')] == [
        "one",
        "two",
    ]


def test_of_a_bulk_file_the_records_are_read(tmp_path):
    data = '{"index": {"_index": "docs", "_id": "1"}}\n{"text": "one"}\n{"create": {}}\n{"index": {"of": "prices"}}\n'
    assert [document.text for document in read_lines(tmp_path, data)] == ["one", "of: prices"]
