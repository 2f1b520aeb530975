"""Sentence pairs and labelled texts from files."""

import csv

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.pairs import read_pairs
from tests.evaluate.sentences import STS


def write_table(file, rows, header=None, delimiter=","):
    with file.open("w", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(([header] if header else []) + [list(r) for r in rows])
    return file


@pytest.mark.parametrize(
    ("name", "header", "delimiter"),
    [
        ("a.csv", None, ","),
        ("b.tsv", ("sentence1", "sentence2", "score"), "\t"),
        ("c.csv", ("id", "score", "sentence2", "sentence1"), ","),
    ],
)
def test_pairs_from_files(tmp_path, name, header, delimiter):
    rows = [("7", s, b, a) for a, b, s in STS] if header and header[0] == "id" else STS
    found = read_pairs(write_table(tmp_path / name, rows, header, delimiter))
    assert (found.first[0], found.second[0], found.scores[0]) == STS[0] and len(found.scores) == len(STS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,1\nc,d\n", r"p\.csv:2: expected two sentences and a score"),
        ("a,b,1\nc,d,high\n", r"p\.csv:2: expected a number as the score, found 'high'"),
        ("a,b,1\nc,d,1\ne,f,1\n", "different scores"),
        ("a,b,1\n", "needs three"),
        ('a,"b\n', "expected"),
        ("a,,1\n", r"p\.csv:1"),
    ],
)
def test_malformed_pairs(tmp_path, text, message):
    file = tmp_path / "p.csv"
    file.write_text(text)
    with pytest.raises(JudgedSetError, match=message):
        read_pairs(file)


def test_quotes_between_tabs_are_quotes(tmp_path):
    file = tmp_path / "p.tsv"
    file.write_text("".join(f"{chr(34) if n in (5, 25) else ''}one {n}\ttwo {n}\t{n % 5}\n" for n in range(40)))
    assert len(read_pairs(file).scores) == 40


@pytest.mark.parametrize("score", ["nan", "inf", "1e999"])
def test_scores_are_numbers(tmp_path, score):
    file = tmp_path / "p.csv"
    file.write_text(f"a,b,1\nc,d,{score}\ne,f,2\n")
    with pytest.raises(JudgedSetError, match=r"p\.csv:2: expected a number"):
        read_pairs(file)
