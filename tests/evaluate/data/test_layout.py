"""The layout of BEIR, and what is said of files that are not in it."""

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import read_judged


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{broken\n', r"corpus\.jsonl:2: expected"),
        ("corpus.jsonl", '{"_id": 7, "text": "a"}\n', r"corpus\.jsonl:1"),
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
