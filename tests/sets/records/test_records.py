"""Records of a set: added, replaced, read back, listed and deleted, beside files that are indexed into the same set."""

from __future__ import annotations

import pytest

import embassay
from embassay.errors import SetNotFound, UsageError
from embassay.sets.examine import problems
from tests.sets.indexed import opened, rows

FAQ = [
    {"id": "17", "text": "Rotate a key with `keyctl rotate`.", "metadata": {"lang": "en", "year": 2024}},
    {"id": "18", "text": "Ein Schlüssel wird  gedreht.\n", "title": "Schlüssel", "metadata": {"lang": "de"}},
    {"id": "19", "text": "The quarterly report is due on Friday."},
]


@pytest.fixture
def faq(home, model):
    made = home.set("faq")
    made.upsert(FAQ, model=model)
    return made


def ids(made):
    return [one.id for one in made.list()]


def test_records_are_found_with_their_filters(faq):
    (hit,) = faq.search("rotate", mode="lexical", where='lang = "en" and year >= 2024').hits
    assert (hit.chunk.document, hit.chunk.path, hit.chunk.text) == ("17", "17", FAQ[0]["text"])
    assert hit.chunk.metadata == FAQ[0]["metadata"]


def test_what_says_the_same_is_left_alone(faq, home):
    before = rows(home, "faq")
    report = faq.upsert(FAQ)
    assert (report.added, report.updated, report.unchanged, report.embedded) == (0, 0, 3, 0)
    moved = faq.upsert([{**FAQ[0], "metadata": {"lang": "fr"}}])
    assert (moved.updated, moved.embedded, moved.chunks) == (1, 0, len(before))
    changed = faq.upsert([{**FAQ[0], "text": "Keys are rotated."}])
    assert (changed.updated, changed.embedded, changed.chunks) == (1, 1, len(before))
    assert faq.upsert([FAQ[0]]).embedded == 1 and rows(home, "faq") == before


def test_records_come_back_as_they_were_given(faq):
    got = faq.get(["19", "18", "nobody"])
    assert [one.id for one in got] == ["19", "18"]
    assert (got[1].text, got[1].title, got[1].metadata) == (FAQ[1]["text"], "Schlüssel", {"lang": "de"})


def test_a_long_record_has_several_chunks_and_comes_back_whole(home, model):
    text = "\n\n\n".join(f"Paragraph {i}  says that key number {i} is rotated. " * 3 for i in range(40)) + "\n"
    made = home.set("long")
    assert made.upsert([embassay.Record("one", text)], model=model).chunks > 3
    assert made.get(["one"])[0].text == text
    (info,) = made.list()
    assert info.chunks == len(rows(home, "long")) and info.tokens > info.chunks


def test_add_refuses_ids_that_are_there_and_adds_nothing(faq):
    with pytest.raises(UsageError, match="'17', '18'"):
        faq.add([{"id": "20", "text": "new"}, *FAQ[:2]])
    assert ids(faq) == ["17", "18", "19"]
    assert faq.add([{"id": 20, "text": "new"}]).added == 1 and ids(faq) == ["17", "18", "19", "20"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"id": "1"}, "text is missing"),
        ({"text": "x"}, "no id"),
        ({"id": " ", "text": "x"}, "its id is empty"),
        ({"id": "a\nb", "text": "x"}, "printable"),
        ({"id": "1", "text": "x", "meta": {}}, "metadata"),
        ({"id": "1", "text": "x", "metadata": {"a": object()}}, "object"),
        ({"id": "1", "text": "x", "metadata": [1]}, "mapping"),
        ({"id": "1", "text": b"x"}, "bytes"),
        ("1", "str"),
    ],
)
def test_what_is_no_record_is_refused_before_anything_is_written(faq, bad, said):
    with pytest.raises(UsageError, match=said):
        faq.upsert([{"id": "0", "text": "first"}, bad])
    assert ids(faq) == ["17", "18", "19"]


def test_an_id_twice_in_one_call_is_refused(faq):
    with pytest.raises(UsageError, match="twice"):
        faq.upsert([{"id": "1", "text": "a"}, {"id": "1", "text": "b"}])


def test_a_record_without_text_is_kept_and_told(faq):
    report = faq.upsert([{"id": "empty", "text": " \n"}])
    assert report.skipped == (("empty", "no text"),)
    assert faq.get(["empty"])[0].text == " \n" and "empty" in ids(faq)
    assert problems(faq.doctor()) == []


def test_deleting_by_id_by_filter_and_by_path(faq):
    assert faq.delete(ids=["17", "nobody"]) == 1
    assert faq.delete(where='lang = "de"') == 1
    assert ids(faq) == ["19"] and faq.get(["17"]) == []
    faq.upsert([{"id": f"a/{i}", "text": f"number {i}"} for i in range(3)])
    assert faq.delete(path="a/*") == 3 and ids(faq) == ["19"]
    assert problems(faq.doctor()) == []


def test_which_documents_is_said_in_exactly_one_way(faq, home):
    for wrong in ({}, {"ids": ["17"], "path": "*"}, {"ids": "17"}):
        with pytest.raises(UsageError):
            faq.delete(**wrong)
    with pytest.raises(SetNotFound):
        home.set("nowhere").delete(ids=["17"])


def test_files_and_records_share_a_set_and_leave_each_other_alone(faq, docs, home):
    report = faq.index([docs])
    assert report.removed == 0 and {"17", "docs/keys.md"} <= set(ids(faq))
    assert faq.upsert([{**FAQ[2], "text": "due on Monday"}]).updated == 1
    again = faq.index([docs])
    assert (again.embedded, again.removed) == (0, 0)
    with pytest.raises(UsageError, match=r"files of these names.*docs/keys"):
        faq.upsert([{"id": "docs/keys.md", "text": "x"}])
    assert problems(faq.doctor()) == [] and faq.status().documents == len(ids(faq))
    assert set(faq.sources()) == set(ids(faq))


def test_a_file_does_not_take_the_place_of_a_record(faq, docs):
    faq.upsert([{"id": "docs/notes.txt", "text": "a record of that name"}])
    assert ("docs/notes.txt", "a record of the set has this name as its id") in faq.index([docs]).skipped
    assert faq.get(["docs/notes.txt"])[0].text == "a record of that name"


def test_rows_that_were_lost_are_told_and_come_back_with_the_record(faq, home):
    before = rows(home, "faq")
    with opened(home, "faq") as (_, _, store):
        store.delete([key for key, (chunk, _) in before.items() if chunk.path == "19"])
    (told,) = problems(faq.doctor())
    assert told.check == "rows" and "'19'" in told.message and "delete faq --id 19" in str(told.remedy)
    report = faq.upsert(FAQ)
    assert (report.updated, report.unchanged) == (1, 2) and rows(home, "faq") == before
    assert problems(faq.doctor()) == []


@pytest.mark.parametrize("no_list", ["17", b"17", {"id": "17"}, None, 17])
def test_one_thing_in_place_of_a_list_is_refused(faq, no_list):
    for verb in (faq.get, faq.upsert, faq.add):
        with pytest.raises(UsageError, match="must be a list"):
            verb(no_list)
    if no_list is not None:
        with pytest.raises(UsageError, match="must be a list"):
            faq.delete(no_list)
    with pytest.raises(UsageError, match="must be a list"):
        faq.upsert(embassay.Record("1", "One record."))
    assert len(ids(faq)) == len(FAQ)


def test_ids_are_asked_for_as_they_are_given(faq):
    import numpy as np

    faq.upsert([{"id": np.int64(20), "text": "Twenty."}, {"id": "می\u200cخواهم", "text": "I want."}])
    assert [one.id for one in faq.get([20, np.int32(20), "می\u200cخواهم", "half \ud800"])] == ["20", "می\u200cخواهم"]
    assert faq.delete([np.int64(20), "half \ud800"]) == 1
    for no_id in (None, True, 1.0, b"17"):
        with pytest.raises(UsageError, match="no id"):
            faq.get([no_id])
        with pytest.raises(UsageError, match="no id"):
            faq.delete([no_id])


def test_a_name_without_an_encoding_is_refused(home, faq):
    for verb in (home.set("half \ud800").status, home.set("half \ud800").doctor):
        with pytest.raises(UsageError, match="no encoding"):
            verb()
    assert list(faq.list("half \ud800")) == [] and faq.delete(path="half \ud800") == 0


def test_an_empty_path_deletes_nothing_and_a_dot_everything(faq):
    faq.upsert([{"id": "/etc/hosts", "text": "An id that begins with a slash."}])
    for empty in ("", " "):
        with pytest.raises(UsageError, match="path is"):
            faq.delete(path=empty)
    assert faq.delete(path=".") == len(FAQ) + 1 and ids(faq) == []


def test_why_nothing_is_found(faq):
    assert faq.why_nothing(glob="1*") == [] and faq.why_nothing('lang = "en"', glob="17") == []
    (said,) = faq.why_nothing(glob="tickets/*")
    assert "'tickets/*'" in said and "such as '17'" in said
    faq.upsert([{"id": "docs/old/a", "text": "Old."}])
    assert "'docs/old/a'" in faq.why_nothing(glob="old")[0]
    assert faq.why_nothing('lang = "en"', glob="18") == [
        "No document of the set 'faq' whose path matches '18' passes the filter."
    ]
    assert "the field 'document'" in faq.why_nothing('id = "17"')[0]
    faq.delete(path="**")
    assert faq.why_nothing(glob="17") == ["The set 'faq' is empty."]
