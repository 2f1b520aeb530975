"""JSON in one piece: records become documents, and everything else is text."""

from __future__ import annotations

import json

import pytest

from embassay.errors import NotText
from embassay.ingest.base import SourceFile
from embassay.ingest.read import read


def read_json(tmp_path, text, name="a.json"):
    file = tmp_path / name
    file.write_text(text)
    return list(read(SourceFile(file, name)))


def test_an_array_of_records(tmp_path):
    text = '[\n {"id": 1, "title": "Otter", "text": "It swims."},\n {"title": "Stork",\n  "text": "It flies."}\n]\n'
    found = read_json(tmp_path, text)
    assert [(d.id, d.title, d.text, d.source_lines) for d in found] == [
        ("a.json#1", "Otter", "It swims.", (2,)),
        ("a.json#2", "Stork", "It flies.", (3,)),
    ]


def test_an_object_that_holds_a_list_of_records(tmp_path):
    head, first, second = read_json(
        tmp_path, '{"note": "exported on Monday",\n "rows": [{"text": "It swims."},\n {"text": "It flies."}]}'
    )
    assert (head.id, head.text) == ("a.json", "note: exported on Monday")
    assert [(d.text, d.source_lines) for d in (first, second)] == [("It swims.", (2,)), ("It flies.", (3,))]


def test_geojson(tmp_path):
    feature = '{"type": "Feature", "properties": {"name": "Bodensee", "info": "ein tiefer See"}, "geometry": {"type": "Point", "coordinates": [9.1, 47.2]}}'
    _, lake = read_json(tmp_path, f'{{"type": "FeatureCollection", "features": [{feature}]}}', "lakes.geojson")
    assert "name: Bodensee\ninfo: ein tiefer See" in lake.text and "47.2" not in lake.text


@pytest.mark.parametrize(
    "text",
    [
        '[{"role": "user", "content": "How?"}, {"role": "assistant", "content": "Hold it."}]',
        '{"messages": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "Hold it."}]}',
    ],
)
def test_a_conversation_is_one_document(tmp_path, text):
    (document,) = read_json(tmp_path, text)
    assert document.text == "user: How?\nassistant: Hold it."


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "name": "demo",\n  "description": "A demo.",\n  "dependencies": {"left-pad": "^1.3.0"}\n}\n',
        '{\n  // a comment, which JSON has not\n  "compilerOptions": {"strict": true}\n}\n',
        '["apple", "pear"]\n',
        "not JSON at all\n",
    ],
)
def test_configuration_stays_as_it_is_written(tmp_path, text):
    (document,) = read_json(tmp_path, text)
    assert document.text == text and document.source_lines is None


def test_escapes_are_undone_in_their_line(tmp_path):
    (document,) = read_json(tmp_path, '{"a":\n "caf\\u00e9 \\"noir\\"\\nand more"}\n')
    assert document.text == '{"a":\n "café "noir" and more"}\n'


def test_json_lines_under_another_name(tmp_path):
    found = read_json(tmp_path, '{"text": "one"}\n{"text": "two"}\n')
    assert [d.text for d in found] == ["one", "two"]


def test_one_long_line_is_read_by_its_strings(tmp_path):
    members = ", ".join(f'"k{number}": {{"label": "word{number}", "at": [{number}, 2]}}' for number in range(200))
    (document,) = read_json(tmp_path, f"{{{members}}}")
    assert document.text.startswith("label: word0\nlabel: word1\n") and "[" not in document.text


def test_numbers_are_no_text(tmp_path):
    with pytest.raises(NotText, match="no words"):
        read_json(tmp_path, "[1, 2, 3]")


def test_what_is_behind_a_break_is_told(tmp_path):
    first, error = read_json(tmp_path, '[{"text": "one"}, {"text"]')
    assert first.text == "one" and "behind element 1" in str(error)


def test_json_lines_whose_values_are_objects(tmp_path):
    digests = ["5f4dcc3b5aa765d61d8327de", "5f4dcc3b5aa765d61d8327df"]
    rows = zip(digests, ["one", "two"], strict=True)
    data = "\n".join(json.dumps({"_id": {"$oid": name}, "text": text, "n": {"$long": "5"}}) for name, text in rows)
    assert [document.text for document in read_json(tmp_path, data)] == ["one", "two"]


def test_a_chat_among_whose_messages_others_stand_is_records(tmp_path):
    chat = {
        "name": "Family",
        "messages": [
            {"type": "service", "actor": "Ann", "action": "create_group", "title": "Family"},
            {"type": "message", "from": "Ann", "text": ["see ", {"type": "link", "text": "the menu"}]},
        ],
    }
    found = read_json(tmp_path, json.dumps(chat, indent=1))
    assert len(found) == 3
    assert "the menu" in found[2].text
