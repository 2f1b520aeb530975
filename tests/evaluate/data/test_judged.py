"""Judged data in every format, and what is said of data that does not hold together."""

import json

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.data.places import Place, covering
from embassay.evaluate.data.saved import read_queries
from embassay.evaluate.score.metrics import per_query

CORPUS = '{"_id": "d1", "title": "Keys", "text": "Rotate a key."}\n{"_id": "d2", "text": "Proxies."}\n'


def folder_of(tmp_path, **files):
    """Files by name; ``__`` is a slash and ``_dot_`` a dot."""
    for name, text in files.items():
        file = tmp_path / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


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


def test_a_set_is_known_by_what_it_holds(tmp_path):
    folder = folder_of(
        tmp_path,
        corpus_dot_jsonl=CORPUS,
        queries_dot_jsonl='{"_id": "q1", "text": "a"}\n',
        qrels__test_dot_tsv="q1\td1\t1\n",
    )
    before = read_judged(folder).digest
    (folder / "corpus.jsonl").write_text("\n".join(reversed(CORPUS.splitlines())))
    assert read_judged(folder).digest == before, "the order of documents means nothing"
    (folder / "qrels" / "test.tsv").write_text("q1\td2\t1\n")
    assert read_judged(folder).digest != before


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


def test_a_lenient_reader_leaves_out_and_lists(tmp_path):
    lines = '{"query": "a", "relevant_docs": ["d1", "gone"]}\n{"query": "b", "relevant_docs": ["gone too"]}\n'
    folder = folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl=lines)
    found = read_judged(folder, strict=False)
    assert found.qrels == {"q1": {"d1": 1}}
    assert [document for _, document in found.unknown] == ["gone", "gone too"]


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


def test_negative_grades_are_not_relevant(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"query": "a", "relevant_docs": {"d": -2}}\n{"query": "b", "relevant_docs": {"d": 1, "e": -1}}\n')
    found = read_queries(log)
    assert list(found.queries) == ["q2"]
    assert per_query({"q": {"d": -2, "e": 1}}, {"q": {"d": 2.0, "e": 1.0}}, ["RR@10", "nDCG@10"])["q"]["RR@10"] == 0.5


def test_saved_queries(tmp_path):
    text = tmp_path / "saved.txt"
    text.write_text("first query\n\nsecond query\nfirst query\n")
    assert read_queries(text) == ["first query", "second query"]
    log = tmp_path / "log.jsonl"
    log.write_text('{"query": "a"}\n{"query": "b"}\n')
    assert read_queries(log) == ["a", "b"]
    log.write_text('{"query": "a", "clicked": ["docs/a.md#L3-9"]}\n{"query": "b"}\n')
    found = read_queries(log)
    assert found.qrels == {"q1": {"docs/a.md#L3-9": 1}} and found.unjudged == ("q2",)
    text.write_text("\n")
    with pytest.raises(JudgedSetError, match="holds no queries"):
        read_queries(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("docs/a.md#L10-40", ("docs/a.md", 10, 40)),
        ("docs/a.md#L10-L40", ("docs/a.md", 10, 40)),
        ("docs/a.md#L7", ("docs/a.md", 7, 7)),
        ("docs/a.md#L40-10", ("docs/a.md", 10, 40)),
        ("docs/a.md#L10-10.2", ("docs/a.md", 10, 10)),
        ("data.jsonl#3#L4-4", ("data.jsonl#3", 4, 4)),
        ("docs/a.md", ("docs/a.md", None, None)),
        ("4983", ("4983", None, None)),
    ],
)
def test_places(text, place):
    found = Place.parse(text)
    assert (found.path, found.first, found.last) == place and str(found) == text


def test_which_places_are_about_the_same():
    places = [Place.parse(text) for text in ("a.md#L1-10", "a.md#L11-20", "a.md#L21-30", "b.md#L1-10")]
    assert [str(p) for p in covering(Place("a.md", 12, 18), places)] == ["a.md#L11-20"]
    assert [str(p) for p in covering(Place("a.md", 6, 30), places)] == ["a.md#L11-20", "a.md#L21-30", "a.md#L1-10"]
    assert covering(Place("a.md", 28, 40), places) == [], "less than half of each"
    assert len(covering(Place("a.md"), places)) == 3
