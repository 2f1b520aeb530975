"""Judged sets: what they are known by, what is left out of them, and what does not hold together."""

import unicodedata

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import read_judged
from tests.evaluate.data.folders import CORPUS, folder_of


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


def test_a_lenient_reader_leaves_out_and_lists(tmp_path):
    lines = '{"query": "a", "relevant_docs": ["d1", "gone"]}\n{"query": "b", "relevant_docs": ["gone too"]}\n'
    folder = folder_of(tmp_path, corpus_dot_jsonl=CORPUS, judged_dot_jsonl=lines)
    found = read_judged(folder, strict=False)
    assert found.qrels == {"q1": {"d1": 1}}
    assert [document for _, document in found.unknown] == ["gone", "gone too"]


def test_queries_that_nothing_answers_are_left_out(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "text": "t"}\n')
    (tmp_path / "judged.jsonl").write_text(
        '{"query": "a", "relevant_docs": ["d"]}\n{"query": "b", "relevant_docs": {"d": 0}}\n{"query": "c"}\n'
    )
    found = read_judged(tmp_path)
    assert (list(found.queries), found.unanswered, found.unjudged) == (["q1"], ("q2",), ("q3",))
    (tmp_path / "judged.jsonl").write_text('{"id": "x", "query": " ", "relevant_docs": ["d"]}\n')
    with pytest.raises(JudgedSetError, match="expected"):
        read_judged(tmp_path)


@pytest.mark.parametrize(("kept", "judged"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_ids_meet_in_whatever_form_their_accents_are_written(tmp_path, kept, judged):
    stored, said = (unicodedata.normalize(form, "Köln.md") for form in (kept, judged))
    folder = folder_of(
        tmp_path,
        corpus_dot_jsonl=f'{{"_id": "{stored}", "text": "a"}}\n{{"_id": "b", "text": "b"}}\n',
        queries_dot_jsonl=f'{{"_id": "q {stored}", "text": "a"}}\n',
        qrels__test_dot_tsv=f"q {said}\t{said}\t1\n",
    )
    assert read_judged(folder).qrels == {f"q {stored}": {stored: 1}}
