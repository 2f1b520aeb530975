"""Judged data that was made to take long: each file is read, or refused with its reason, in time that grows with it."""

from __future__ import annotations

import time

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data import lines
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.data.labels import read_labelled
from embassay.evaluate.data.pairs import read_pairs
from embassay.evaluate.data.places import Place
from tests.evaluate.data.folders import CORPUS, folder_of

MB = 1_000_000
SECONDS = 5.0
QRELS = "1 0 d1 1\n"


def timely(path, reader=read_judged):
    """Whether it could be read; fails if that took long, and if anything but a JudgedSetError was raised."""
    started = time.monotonic()
    try:
        reader(path)
        return True
    except JudgedSetError as error:
        assert len(str(error)) < 600
        return False
    finally:
        assert time.monotonic() - started < SECONDS


TOPICS = {
    "nothing is closed": "<top><num>1<title>a\n" * (MB // 20),
    "only opened": "<top>" * (2 * MB // 5),
    "only closed": "<top></top>" + "</top>" * (2 * MB // 6),
    "numbers": "<top>" + "<num>" * (MB // 5) + "</top>",
    "spaces behind a number": "<top><num>" + " " * MB + "x y</top>",
    "lines behind a number": "<top><num>1" + " \n" * MB + "x</top>",
    "spaces within a title": "<top><num>1<title>a" + " " * MB + "b</top>",
    "titles": "<top><num>1" + "<title>" * (MB // 7) + "</top>",
}


@pytest.mark.parametrize("name", TOPICS)
def test_topics(tmp_path, name):
    timely(folder_of(tmp_path, corpus_dot_jsonl=CORPUS, topics_dot_txt=TOPICS[name], qrels_dot_txt=QRELS))


DOCUMENTS = {
    "nothing is closed": "<DOC><DOCNO>d1\n" * (MB // 15),
    "numbers are not closed": "<doc>" + "<docno>" * (MB // 7) + "</doc>",
    "heads are not closed": "<doc><docno>d1</docno>" + "<headline>" * (MB // 10) + "</doc>",
    "brackets": "<doc><docno>d1</docno>" + "<" * MB + "</doc>",
    "tags": "<doc><docno>d1</docno>" + "<a>" * (MB // 3) + "</doc>",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(tmp_path, name):
    folder = folder_of(tmp_path, topics_dot_txt="1\ta\n", qrels_dot_txt=QRELS, docs_dot_trec=DOCUMENTS[name])
    assert timely(folder) is (name not in ("nothing is closed", "numbers are not closed"))


def test_what_is_left_open_is_named(tmp_path):
    folder = folder_of(tmp_path, topics_dot_txt="1\ta\n", qrels_dot_txt=QRELS, docs_dot_trec="<DOC><DOCNO>d1</DOCNO>")
    with pytest.raises(JudgedSetError, match="a <doc> without </doc>"):
        read_judged(folder)


def test_one_line_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    for name in ("judged_dot_jsonl", "corpus_dot_jsonl", "queries_dot_jsonl", "qrels__test_dot_tsv"):
        good = {"corpus_dot_jsonl": CORPUS, "queries_dot_jsonl": '{"_id": "q", "text": "a"}\n'}
        files = good | {"qrels__test_dot_tsv": "q\td1\t1\n"} | {name: '{"query": "' + "x" * 1000}
        if name == "judged_dot_jsonl":
            files = {"corpus_dot_jsonl": CORPUS, name: files[name]}
        with pytest.raises(JudgedSetError, match="longer than 1,000 characters"):
            read_judged(folder_of(tmp_path / name, **files))


NESTED = {
    "lists": '{"query": "a", "relevant_docs": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "open": "[" * MB,
    "just what can be read": '{"query": 1, "a": ' + "[" * 900 + "]" * 900 + "}",
    "a number": '{"query": "a", "relevant_docs": {"d1": ' + "9" * MB + "}}",
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_json(tmp_path, name):
    assert not timely(folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl=NESTED[name]))


TABLES = {
    "an open quote": 'a,"' + "x\n" * MB,
    "a field": "x" * (3 * MB) + ",b\n",
    "cells": "," * (2 * MB),
    "tabs": "\t" * (2 * MB),
    "rows": "a,b\n" * (MB // 4) + "a\n",
    "digits": "text,label\n" + "9" * MB + ",1\n",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("reader", [read_labelled, read_pairs])
def test_tables(tmp_path, name, reader):
    file = tmp_path / "t.csv"
    file.write_text(TABLES[name])
    assert not timely(file, reader)


def test_the_same_id_on_every_line(tmp_path):
    queries = '{"id": "x", "query": "a", "relevant_docs": ["d1"]}\n' * 20_000
    assert not timely(folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl=queries))
    assert not timely(folder_of(tmp_path / "c", corpus_dot_jsonl=CORPUS * 10_000, judged_dot_jsonl=queries))


@pytest.mark.parametrize("text", [f"a#L{'1' * 100_000}", "#L1" * 100_000, f"a#L1-L{'9' * 5_000}"])
def test_places_of_any_length(text):
    started = time.monotonic()
    assert str(Place.parse(text)) == text
    assert time.monotonic() - started < 1
