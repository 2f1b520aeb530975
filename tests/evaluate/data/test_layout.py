"""The layout of BEIR, and what is said of files that are not in it."""

import json

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import read_judged


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{broken\n', r"corpus\.jsonl:2: expected"),
        ("corpus.jsonl", '{"_id": 7.5, "text": "a"}\n', r"corpus\.jsonl:1"),
        ("corpus.jsonl", '{"_id": true, "text": "a"}\n', r"corpus\.jsonl:1"),
        (
            "corpus.jsonl",
            '{"_id": 7, "text": "a"}\n{"_id": "7", "text": "b"}\n',
            r"corpus\.jsonl:2: expected every _id once",
        ),
        (
            "qrels/test.tsv",
            "q1\td1\t1\nq1\td1\t0\n",
            r"test\.tsv:2: query 'q1' and document 'd1' are judged 0 here and 1",
        ),
        ("qrels/test.tsv", "h\tc\ts\nq1\td1\t0\nq1\td2\t1\nq1\td1\t2\n", r"test\.tsv:4: .* judged 2 here and 0"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n', r"judges 1 queries .* first 'q2'"),
        ("qrels/test.tsv", "q1 d1 1\n", r"test\.tsv:1: expected .* between tabs"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "no judgments"),
        ("qrels/test.tsv", "q1\tnowhere\t1\n", r"names 1 documents .* first 'nowhere'"),
    ],
)
def test_bad_judged_sets_say_where(judged, file, content, message):
    (judged / file).write_text(content)
    with pytest.raises(JudgedSetError, match=message):
        read_judged(judged)


def test_missing_parts(judged, tmp_path):
    with pytest.raises(JudgedSetError, match="There are: test"):
        read_judged(judged, "dev")
    (judged / "queries.jsonl").unlink()
    with pytest.raises(JudgedSetError, match="cannot be read"):
        read_judged(judged)
    with pytest.raises(JudgedSetError, match=r"does not exist.*embassay judge new"):
        read_judged(tmp_path / "none")


@pytest.mark.parametrize("ids", [(1, 2), ("1", 2), (0, -3)])
def test_ids_that_are_integers_are_their_digits(tmp_path, ids):
    (tmp_path / "qrels").mkdir()
    rows = "".join(f'{{"_id": {json.dumps(name)}, "text": "text {name}"}}\n' for name in ids)
    (tmp_path / "corpus.jsonl").write_text(rows)
    (tmp_path / "queries.jsonl").write_text('{"_id": 7, "text": "which"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n7\t{ids[1]}\t1\n")
    judged = read_judged(tmp_path)
    assert [document.id for document in judged.documents] == [str(name) for name in ids]
    assert judged.qrels == {"7": {str(ids[1]): 1}} and judged.queries == {"7": "which"}


def test_a_judgment_that_stands_twice_is_one(judged):
    file = judged / "qrels" / "test.tsv"
    once = read_judged(judged).qrels
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[-1]]))
    assert read_judged(judged).qrels == once


def test_metadata_of_documents_is_kept(judged):
    lines = [json.loads(line) for line in (judged / "corpus.jsonl").read_text().splitlines()]
    lines[0]["metadata"] = {"topic": "keys", "tags": ["a"]}
    lines[1]["metadata"] = "none"
    (judged / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second, *_ = read_judged(judged).documents
    assert first.metadata == {"topic": "keys", "tags": ["a"]} and second.metadata == {}
