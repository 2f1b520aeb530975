"""Tables: whatever separates and quotes their cells, every word of a row is in a document of that row."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.read import read


def rows(tmp_path, text, name="a.csv", encoding="utf-8"):
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    return list(read(SourceFile(file, name)))


def shown(documents):
    """Line, title and text of each document."""
    return [(d.source_lines[0], d.title, d.text) for d in documents]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # wider than the header: the surplus is part of the text
            "id,text\n1,salt, pepper, and thyme\n2,mint\n",
            [(2, "", "salt, pepper, and thyme"), (3, "", "mint")],
        ),
        (  # also where another column follows
            "id,text,label\n1,salt, pepper, thyme,herbs\n",
            [(2, "", "salt, pepper, thyme\n\nlabel: herbs")],
        ),
        (  # what Excel writes for countries with another separator
            "sep=;\r\nid;text\r\n1;salt, pepper\r\n",
            [(3, "", "salt, pepper")],
        ),
        ('"sep=|"\nid|text\n1|salt\n', [(3, "", "salt")]),
        (  # lines above the header
            "Inventory\nprinted on Monday\n\nid,title,text\n1,Salt,from the sea\n",
            [(1, "", "Inventory\nprinted on Monday"), (5, "Salt", "from the sea")],
        ),
        (
            "# written by a tool\nid,title,text\n1,Salt,from the sea\n# a remark\n2,Mint,green\n",
            [(1, "", "written by a tool"), (3, "Salt", "from the sea"), (4, "", "# a remark"), (5, "Mint", "green")],
        ),
        ("Inventory\nhost|place\n1|cellar\n2|attic\n", [(1, "", "Inventory"), (3, "", "host: 1\nplace: cellar"), (4, "", "host: 2\nplace: attic")]),
        (  # most rows are wider than the header
            "kind|who\nsalt|Ann|and|Bob\nmint|Eve|or|Joe|too\n",
            [(2, "", "kind: salt\nwho: Ann|and|Bob"), (3, "", "kind: mint\nwho: Eve|or|Joe|too")],
        ),
        ("#id,text\n1,salt\n", [(2, "", "salt")]),
        (  # columns of one name, and without any
            "id,note,note,,text\n1,alpha,beta,gamma,salt\n",
            [(2, "", "salt\n\nnote: alpha\nnote 2: beta\ngamma")],
        ),
        (  # R leaves out the name of the first column
            '"fruit","colour"\n"1","apple","red"\n"2","pear","green"\n',
            [(2, "", "fruit: apple\ncolour: red"), (3, "", "fruit: pear\ncolour: green")],
        ),
        (  # a quotation mark that is never closed, one inside a cell, and doubled ones left single
            'id,text\n1,"Never closed\n2,a 3.5" disk\n3,"He said "hi" twice"\n4,"well, ""quoted"""\n',
            [(2, "", '"Never closed'), (3, "", 'a 3.5" disk'), (4, "", 'He said "hi" twice'), (5, "", 'well, "quoted"')],
        ),
        ('id\ttext\n1\t"Aye," he said.\n2\t"open\n3\tshut" it\n', [(2, "", '"Aye," he said.'), (3, "", '"open'), (4, "", 'shut" it')]),
        ('id,text\n1,"say \\"hi\\", then go"\n2,"two\nlines"\n', [(2, "", 'say "hi", then go'), (3, "", "two\nlines")]),
        ('id,text\n1,"two\nlines, even"\n2,salt\n', [(2, "", "two\nlines, even"), (4, "", "salt")]),
        (  # no header
            "1,salt of the sea,0.5\n2,mint,1.5\n",
            [(1, "", "1\nsalt of the sea\n0.5"), (2, "", "2\nmint\n1.5")],
        ),
        (
            "Salt comes from the sea,white\nMint grows in the garden,green\n",
            [(1, "", "Salt comes from the sea\nwhite"), (2, "", "Mint grows in the garden\ngreen")],
        ),
        (
            "Opening hours,We open at nine from Monday to Friday\nParking,Park behind the hall\nKeys,Ask the porter\n",
            [
                (1, "", "Opening hours\nWe open at nine from Monday to Friday"),
                (2, "", "Parking\nPark behind the hall"),
                (3, "", "Keys\nAsk the porter"),
            ],
        ),
        (
            "When do you open?,At nine\nMay I park?,Behind the hall\n",
            [(1, "", "When do you open?\nAt nine"), (2, "", "May I park?\nBehind the hall")],
        ),
        (  # a survey
            "How do you like it here?,I feel valued at my work\nA lot,Agree\nNot much,Disagree\n",
            [
                (2, "", "How do you like it here?: A lot\nI feel valued at my work: Agree"),
                (3, "", "How do you like it here?: Not much\nI feel valued at my work: Disagree"),
            ],
        ),
        ("id,title,text\n", [(1, "", "id\ntitle\ntext")]),
        ("text\nsalt, pepper\nmint; thyme\n", [(2, "", "salt, pepper"), (3, "", "mint; thyme")]),
        ("Salt comes from the sea, they say\nMint\nThyme, sage, and dill\nDill\n", [(1, "", "Salt comes from the sea, they say"), (2, "", "Mint"), (3, "", "Thyme, sage, and dill"), (4, "", "Dill")]),
        ("id|text\r1|salt\r2|mint\r", [(2, "", "salt"), (3, "", "mint")]),
        ("id,title,text\n1,Salt\n2\n", [(2, "", "Salt"), (3, "", "2")]),
        ("\ufeffid,question,text\n7,Where from?,The sea\n", [(2, "Where from?", "The sea")]),
        ("id,text,url\nAB-17,salt,https://example.org/a\n", [(2, "", "salt\n\nid: AB-17\nurl: https://example.org/a")]),
    ],
)  # fmt: skip
def test_tables(tmp_path, text, expected):
    name = "a.tsv" if "\t" in text else "a.csv"
    assert shown(rows(tmp_path, text, name)) == expected


def test_ids_that_stand_twice_are_told_apart(tmp_path):
    found = rows(tmp_path, "id,text\n1,salt\n1,mint\n")
    assert [d.id for d in found] == ["a.csv#1", "a.csv#1~2"]


def test_numbers_are_metadata_only(tmp_path):
    (document,) = rows(
        tmp_path, "id,text,year,day,commit,author\n1,salt,2024,2024-05-01,9f86d081884c7d659a2feaa0,Ann\n"
    )
    assert document.text == "salt\n\ncommit: 9f86d081884c7d659a2feaa0\nauthor: Ann"
    assert document.metadata == {
        "id": "1", "year": "2024", "day": "2024-05-01", "commit": "9f86d081884c7d659a2feaa0", "author": "Ann"
    }  # fmt: skip


def test_a_long_title_is_part_of_the_text(tmp_path):
    """The line of context above a chunk would have no room for it."""
    title = "How do I reset the meter when the lamp is red and the display stays dark after a power cut?"
    (document,) = rows(tmp_path, f"question,answer\n{title},Hold the button\n")
    assert (document.title, document.text) == ("", f"{title}\n\nHold the button")


def test_too_many_columns(tmp_path):
    with pytest.raises(ReadError, match="10,001 columns"):
        rows(tmp_path, ",".join(["a"] * 10_001) + "\n")


WORD = st.text("abcdefghijäßжλ漢", min_size=1, max_size=6)
CELL = st.lists(st.one_of(WORD, st.sampled_from([*',;\t|"\n', '""', '",', "\\", "'", "a,b", "x;y"])), max_size=6).map(
    " ".join
)


@settings(max_examples=150)
@given(
    table=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(table=[["a\nb"], ["c"]], delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\n")
def test_every_word_of_a_table_that_python_writes_is_found_in_its_row(tmp_path_factory, table, delimiter, quoting, end):
    """The first column holds a word of its own for each row, as ids do; lines are those where the row begins."""
    names = ["key", "alpha", "beta", "gamma", "delta"][: len(table[0]) + 1]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(names)
    lines = []
    for number, cells in enumerate(table):
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow([f"row{'xyzuvw'[number]}", *cells])
    found = rows(tmp_path_factory.mktemp("t"), out.getvalue().replace(end, "\n") if end == "\n" else out.getvalue())
    at = {document.source_lines[0]: document for document in found}
    for line, cells in zip(lines, table, strict=True):
        document = at[line]
        said = f"{document.title}\n{document.text}\n{document.metadata}"
        for word in " ".join(cells).split():
            if any(map(str.isalpha, word)):
                assert word.strip('"') in said, (out.getvalue(), said)


RULED = """|------------------------------------|
| Material | Kurztext        | Bestand |
|----------+-----------------+---------|
| 100-200  | Pumpe Edelstahl | 1.234,5 |
| 100-201  | Dichtung Gummi  |    12,0 |
|------------------------------------|
"""


def test_lines_that_are_drawn_between_rows_are_no_rows(tmp_path):
    found = rows(tmp_path, RULED)
    assert [document.source_lines for document in found] == [(4,), (5,)]
    assert "Kurztext: Pumpe Edelstahl" in found[0].text


def test_years_name_columns(tmp_path):
    found = rows(tmp_path, "Country,2019,2020\nAustria,1.5,2.5\nBelgium,4.5,5.5\n")
    assert [document.metadata for document in found] == [
        {"Country": "Austria", "2019": "1.5", "2020": "2.5"},
        {"Country": "Belgium", "2019": "4.5", "2020": "5.5"},
    ]
    years = rows(tmp_path, "Rome,1960\nParis,2024\nOslo,1952\n")
    assert len(years) == 3


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (
            "Region,Q1,,Q2,\n,Income,Costs,Income,Costs\nNorth,100,50,120,55\nSouth,90,45,95,47\n",
            ["Region", "Q1 Income", "Q1 Costs", "Q2 Income", "Q2 Costs"],
        ),
        (
            ",metric,metric,text\n,precision,recall,remark\nalpha,0.5,0.6,with stop words\nbeta,0.6,0.7,stemmed\n",
            ["metric precision", "metric recall", "text remark"],
        ),
    ],
    ids=["spans", "doubled"],
)
def test_a_header_of_two_lines(tmp_path, data, names):
    found = rows(tmp_path, data)
    assert len(found) == 2
    assert set(found[0].metadata) >= {name for name in names if name != "text remark"}
    assert not any("recall" in document.text.split(":")[-1] for document in found)
