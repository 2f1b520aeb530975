"""A user's own table of models."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.decisions.table import read_table
from embassay.errors import UsageError

CARDS = shipped().models


def written(tmp_path, text: str, encoding: str = "utf-8"):
    file = tmp_path / "models.csv"
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize(
    "header",
    [
        "id,downloads,updated,language,size_mb",
        "Model;Downloads last month;Last modified;Languages;Size (MB)",
        "modelId\tdownloads_30d\tlast_updated\tlang\tmodel size mb",
        "\ufeffModel ID,Monthly Downloads,lastModified,LANGUAGE,MB",
    ],
)
def test_columns_are_known_by_many_names(tmp_path, header):
    mark = max(",;\t", key=header.count)
    line = mark.join(["a/b", "1200000", "2024-05-01T08:00:00Z", "en", "90"])
    (facts,) = read_table(written(tmp_path, f"{header}\n{line}\n"), CARDS).models
    assert (facts.id, facts.downloads, facts.updated, facts.languages, facts.size_mb) == (
        "a/b", 1_200_000, "2024-05-01", ("en",), 90,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("downloads", '"1,234,567"', 1_234_567), ("downloads", "1.5M", 1_500_000), ("downloads", "350k", 350_000),
        ("size_mb", "2.2 GB", 2_200), ("size_mb", "91 MB", 91), ("size_mb", "1 GiB", 1073.741824),
        ("updated", "2024-05", "2024-05"), ("languages", "en|de", ("en", "de")), ("domain", "Legal", "legal"),
    ],
)  # fmt: skip
def test_values_as_people_write_them(tmp_path, column, cell, value):
    (facts,) = read_table(written(tmp_path, f"id,{column}\na/b,{cell}\n"), {}).models
    assert getattr(facts, column) == pytest.approx(value)


def test_malformed_lines_are_named_by_their_number_and_the_others_are_read(tmp_path):
    text = (
        "id,downloads,updated\n"  # 1
        "a/b,100,2024-01-01\n"
        "a/c,lots,2024-01-01\n"  # 3
        ",100,2024-01-01\n"
        "\n"
        "a/d,100\n"  # 6
        '"a/e\nf",-5,2024-01-01\n'  # 7 and 8
        "a/b,7,2024-01-01\n"  # 9
        "a/g,7,yesterday\n"  # 10
        "a/h,,\n"
    )
    table = read_table(written(tmp_path, text), {})
    assert [facts.id for facts in table.models] == ["a/b", "a/h"]
    assert [line for line, _ in table.malformed] == [3, 4, 6, 7, 9, 10]
    said = dict(table.malformed)
    assert "'lots' is no number of downloads" in said[3] and "names no model" in said[4]
    assert "2 fields" in said[6] and "earlier line" in said[9] and "YYYY-MM-DD" in said[10]
    assert table.models[1].downloads is None and table.missing == ("domain", "languages", "size_mb")


def test_what_a_table_does_not_say_is_taken_from_the_card(tmp_path):
    (facts,) = read_table(written(tmp_path, "id,downloads\nBAAI/bge-small-en-v1.5,5\n"), CARDS).models
    assert (facts.downloads, facts.size_mb, facts.languages, facts.domain) == (5, 133, ("en",), "general")


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("", "utf-8", "is empty"),
        ("downloads,size\n1,2\n", "utf-8", "no column for the model"),
        ("id\né\n", "latin-1", "no UTF-8"),
        ("\0\0\0", "utf-8", "no column for the model"),
    ],
)
def test_files_that_are_no_table(tmp_path, text, encoding, words):
    with pytest.raises(UsageError, match=words):
        read_table(written(tmp_path, text, encoding), {})


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    for place in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_table(place, {})
