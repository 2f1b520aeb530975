"""Judged data in every format, and what is said of data that cannot be read."""

import json

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import read_judged
from tests.evaluate.data.folders import CORPUS, folder_of


def test_jsonl(tmp_path):
    lines = [
        {"query": "rotate", "relevant_docs": ["d1"]},
        {"id": "x", "query": "proxy", "relevant_docs": {"d2": 2, "d1": 0}},
        {"query": "nobody judged this"},
    ]
    folder = folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl="\n".join(map(json.dumps, lines)))
    for path in (folder, folder / "judged.jsonl"):
        found = read_judged(path)
        assert found.qrels == {"q1": {"d1": 1}, "x": {"d2": 2, "d1": 0}}
        assert found.queries == {"q1": "rotate", "x": "proxy"} and found.unjudged == ("q3",)
        assert found.relevant("x") == {"d2"}


def test_trec_with_sgml(tmp_path):
    topics = (
        "<top>\n<num> Number: 301\n<title> key rotation\n<desc> Description:\nHow are keys rotated?\n</top>\n\n"
        "<top><num>302</num><title>proxies</title></top>\n"
    )
    documents = (
        "<DOC>\n<DOCNO> FT-1 </DOCNO>\n<HEADLINE>Keys</HEADLINE>\n<TEXT>\nRotate a <b>key</b>.\n</TEXT>\n</DOC>\n"
        "<DOC><DOCNO>FT-2</DOCNO><TEXT>Proxies.</TEXT></DOC>"
    )
    folder = folder_of(
        tmp_path,
        topics_dot_txt=topics,
        qrels_dot_txt="301 0 FT-1 2\n302 0 FT-2 1\n302 0 FT-1 0\n",
        docs_dot_trec=documents,
    )
    found = read_judged(folder)
    assert found.queries == {"301": "key rotation", "302": "proxies"}
    assert found.qrels == {"301": {"FT-1": 2}, "302": {"FT-2": 1, "FT-1": 0}}
    first = found.by_id["FT-1"]
    assert (first.title, first.text) == ("Keys", "Rotate a key .")


def test_trec_with_tabs_and_splits(tmp_path):
    folder = folder_of(
        tmp_path, corpus_dot_jsonl=CORPUS, topics_dot_tsv="1\trotate\n2\tproxy\n",
        qrels_dot_dev_dot_txt="1 0 d1 1\n", qrels_dot_test_dot_txt="2 0 d2 1\n",
    )  # fmt: skip
    assert list(read_judged(folder, "test").qrels) == ["2"]
    with pytest.raises(JudgedSetError, match="which judgments"):
        read_judged(folder)


def test_beir_keeps_to_its_split(tmp_path):
    queries = '{"_id": "q1", "text": "a", "metadata": {"source": "heading"}}\n{"_id": "q2", "text": "b"}\n{"_id": "q3", "text": "c"}\n'
    folder = folder_of(
        tmp_path, corpus_dot_jsonl=CORPUS, queries_dot_jsonl=queries,
        qrels__test_dot_tsv="query-id\tcorpus-id\tscore\nq1\td1\t1.0\n", qrels__dev_dot_tsv="q2\td2\t1\n",
    )  # fmt: skip
    found = read_judged(folder)
    assert list(found.queries) == ["q1"] and found.unjudged == ("q3",), "q2 belongs to another split"
    assert found.sources["q1"] == "heading"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"judged_dot_jsonl": '{"query": "a", "relevant_docs": "d1"}\n'}, r"judged\.jsonl:1: expected .*relevant_docs"),
        ({"judged_dot_jsonl": '{"query": "a", "relevant_docs": ["d1"]}\nnot json\n'}, r"judged\.jsonl:2: expected"),
        ({"judged_dot_jsonl": '{"query": "a", "relevant_docs": ["d9"]}\n'}, r"1 documents that the corpus lacks.*d9"),
        ({"judged_dot_jsonl": '{"query": "a"}\n'}, "holds no judgments"),
        ({"topics_dot_txt": "no tab here\n", "qrels_dot_txt": "1 0 d1 1\n"}, r"topics\.txt:1: expected"),
        (
            {"topics_dot_txt": "1\ta\n", "qrels_dot_txt": "1 0 d1 1\n1 0 d1\n"},
            r"qrels\.txt:2: expected query, iteration",
        ),
        (
            {"topics_dot_txt": "1\ta\n", "qrels_dot_txt": "1 0 d1 1\n1 0 d1 1\n1 0 d1 2\n"},
            r"qrels\.txt:3: query '1' and document 'd1' are judged 2 here and 1 above",
        ),
        ({"topics_dot_txt": "1\ta\n", "qrels_dot_txt": "7 0 d1 1\n"}, r"1 queries whose text is missing.*'7'"),
        ({"topics_dot_txt": "<top><num>1</num></top>\n", "qrels_dot_txt": "1 0 d1 1\n"}, "without <num> or <title>"),
        ({"topics_dot_txt": "1\ta\n", "qrels_dot_txt": "1 0 d1 --1\n"}, r"qrels\.txt:1: expected query, iteration"),
        ({"judged_dot_jsonl": '{"query": "a\\ud800", "relevant_docs": ["d1"]}\n'}, r"judged\.jsonl:1: expected"),
        ({"judged_dot_jsonl": '{"query": "a", "relevant_docs": [["d1"]]}\n'}, r"judged\.jsonl:1: expected"),
        ({"judged_dot_jsonl": '{"query": "a", "relevant_docs": {"d1": 99999999999}}\n'}, r"judged\.jsonl:1: expected"),
        ({"judged_dot_jsonl": '{"id": "x", "query": "a", "relevant_docs": ["d1"]}\n' * 2}, "stands on two lines"),
        ({"readme_dot_txt": "hello"}, r"no judged data.*beir: .*jsonl: .*trec: "),
    ],
)
def test_malformed(tmp_path, files, message):
    folder = folder_of(tmp_path, corpus_dot_jsonl=CORPUS, **files)
    with pytest.raises(JudgedSetError, match=message):
        read_judged(folder)


def test_an_id_that_comes_twice(tmp_path):
    folder = folder_of(
        tmp_path, corpus_dot_jsonl=CORPUS + CORPUS, judged_dot_jsonl='{"query": "a", "relevant_docs": ["d1"]}\n'
    )
    with pytest.raises(JudgedSetError, match=r"corpus\.jsonl:3: expected every _id once, found 'd1'"):
        read_judged(folder)


def test_null_ids_are_no_ids(tmp_path):
    lines = '{"id": null, "query": "a", "relevant_docs": ["d1"]}\n{"id": null, "query": "b", "relevant_docs": ["d2"]}\n'
    assert len(read_judged(folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl=lines)).queries) == 2


def test_a_query_that_comes_twice(tmp_path):
    folder = folder_of(
        tmp_path, corpus_dot_jsonl=CORPUS, queries_dot_jsonl='{"_id": "q", "text": "a"}\n{"_id": "q", "text": "b"}\n',
        qrels__test_dot_tsv="q\td1\t1\n",
    )  # fmt: skip
    with pytest.raises(JudgedSetError, match=r"queries\.jsonl:2: expected every _id once"):
        read_judged(folder)
