"""AsciiDoc without its marks, whose lines stay where they are."""

from __future__ import annotations

import pytest

from embassay.errors import NotText
from tests.ingest.readers.made import ADOC, read_all, read_one


def test_a_document(tmp_path):
    document = read_one(tmp_path, "a.adoc", ADOC)
    assert document.metadata == {"author": "Maria"}
    assert document.text == "# Keys\n\n\n## Rotation\n\n\nRotate the key at Maria's desk.\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("=== Deep ===", "### Deep"),
        ("Old title\n=========\n\nPart\n----\ntext", "# Old title\n\n\n## Part\n\ntext"),
        ("----\n== code\n----", "```\n== code\n```"),
        ("[source,ruby,linenums]\n----\nputs 1 // x\n----", "\n```ruby\nputs 1 // x\n```"),
        ("....\nliteral\n....", "```\nliteral\n```"),
        ("////\nhidden\n////\nshown", "\n\n\nshown"),
        ("*bold* _it_ `code` #mark# un**con**strained 2*3*4", "bold it code mark unconstrained 2*3*4"),
        ("`$JETTY_HOME` and link:https://x.org[]", "$JETTY_HOME and https://x.org"),
        ("snake_case_name and a*b", "snake_case_name and a*b"),
        ("link:a.html[the page], https://x.org[X^], https://y.org, <<ref,here>> <<id>>", "the page, X, https://y.org, here id"),
        ("image::a.png[A pump,200]\n.A title\ntext", "A pump\nA title\ntext"),
        ("* one\n** two\n. three\n.. four", "- one\n  - two\n- three\n  - four"),
        ("term:: words\nother::\nmore", "term: words\nother:\nmore"),
        ('[cols="1,2"]\n|===\n|a |b\n\n2+|wide\n|===', "\n\na | b\n\nwide\n"),
        ("NOTE: read this", "NOTE: read this"),
        ("[quote, Ann, On Pumps]\n____\nThey leak.\n____", "Ann, On Pumps\n\nThey leak.\n"),
        ("ifdef::x[shown]\nifndef::y[]\nkept\nendif::[]\ninclude::z.adoc[]", "shown\n\nkept\n\n"),
        ("line +\nnext footnote:[a note] kbd:[F1] menu:File[Save]", "line\nnext  (a note) F1 File > Save"),
        (":prod: Frob\n\n{prod} {unknown}", "\n\nFrob {unknown}"),
        ("====\nin a block\n====\n--\nopen\n--\n'''\n<<<", "\nin a block\n\n\nopen\n\n\n"),
        ("[[anchor]]\n[#id.role]\ntext [[x]]here", "\n\ntext here"),
    ],
)  # fmt: skip
def test_text(tmp_path, data, text):
    found = read_one(tmp_path, "a.adoc", data.encode()).text
    assert found == text and found.count("\n") == data.count("\n")


def test_values_do_not_multiply(tmp_path):
    data = ":a: " + "x" * 400 + "\n" + "{a}" * 30_000
    assert len(read_one(tmp_path, "a.adoc", data.encode()).text) < 1_200_000


def test_keys_and_signatures_are_skipped(tmp_path):
    with pytest.raises(NotText, match="signature"):
        read_all(tmp_path, "a.asc", b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n")
