"""Labelled texts from files."""

from embassay.evaluate.data.labels import read_labelled


def test_json_lines(tmp_path):
    file = tmp_path / "l.jsonl"
    file.write_text('{"text": "a", "category": "x"}\n{"text": "b", "category": 7}\n')
    assert read_labelled(file).labels == ["x", "7"]
