"""Manual pages of both macro packages."""

from __future__ import annotations

import pytest

from embassay.errors import NotText
from tests.ingest.readers.made import MAN, read_one

MDOC = rb""".Dd November 20, 2026
.Dt KEYCTL 8
.Os
.Sh NAME
.Nm keyctl
.Nd rotate keys
.Sh SYNOPSIS
.Nm
.Op Fl dv
.Op Fl f Ar file
.Sh DESCRIPTION
The
.Nm
utility reads
.Pa /etc/keys
.Pq see Xr keys 5 ,
and
.Dq asks .
.Bl -tag -width Ds
.It Fl d
Delete it.
.It Ev HOME Ns /x
A path.
.El
.Bd -literal
$ keyctl  -d
.Ed
"""


def test_a_page_of_man(tmp_path):
    document = read_one(tmp_path, "keyctl.1", MAN)
    assert document.title == "KEYCTL(1)"
    assert document.text == (
        "## NAME\n\nkeyctl - rotate keys\n\n## SYNOPSIS\n\nkeyctl [--days=N]\n\n## OPTIONS\n\n-d, --days=N\n"
        'Rotate the key after N days.\n\nCafé © 2026 \u2014 "quoted"\n\n  keyctl -d 3\n'
    )
    lines = dict(zip(document.text.split("\n"), document.source_lines, strict=True))
    assert (lines["## OPTIONS"], lines["Rotate the key after N days."], lines["  keyctl -d 3"]) == (8, 11, 19)


def test_a_page_of_mdoc(tmp_path):
    document = read_one(tmp_path, "keyctl.8", MDOC)
    assert document.title == "KEYCTL(8)"
    assert document.text == (
        "## NAME\n\nkeyctl - rotate keys\n\n## SYNOPSIS\n\nkeyctl [-dv] [-f file]\n\n## DESCRIPTION\n\n"
        "The keyctl utility reads /etc/keys (see keys(5),) and \u201casks.\u201d\n\n-d\nDelete it.\n\nHOME/x\nA path.\n\n"
        "$ keyctl  -d\n"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"\fBbold\fR \f[I]it\f[] a\-b \e x\&y \(buz \[u00E9] \['o] \(:u", "bold it a-b \\ xy \u2022z é ó ü"),
        (rb".B one two" + b"\n" + rb".BI a \ b c", "one two a bc"),
        (b".ds xy the string\nsee \\*(xy and \\*[xy]", "see the string and the string"),
        (b".ie n \\{\\\n.B shown\n.\\}\n.el \\{\\\nnot shown\n.\\}\nend", "shown end"),
        (b".if t \\{\nprinted\n.\\}\nkept", "kept"),
        (b".de XX\nin a macro\n..\nafter", "after"),
        (b".ig\nnothing\n..\nafter", "after"),
        (b".TS\ntab(;);\nl l.\na\tb\n_\nc\td\n.TE\nafter", "a | b\nc | d\n\nafter"),
        (b".TP\n.B tag\ntext one\n.IP 2.\nitem", "tag\ntext one\n\n2.\nitem"),
        (b"one\n.br\ntwo\n\nthree", "one\ntwo\n\nthree"),
        (b".UR https://x.org\nthe site\n.UE", "https://x.org the site"),
        (b"text \\\" a comment\nmore \\s-1SMALL\\s0 \\h'2n'x", "text more SMALL x"),
        (b"a line that \\\ngoes on", "a line that goes on"),
    ],
)
def test_requests_and_escapes(tmp_path, body, text):
    document = read_one(tmp_path, "a.3", b".TH A 3\n.SH X\n" + body + b"\n")
    assert document.text.removeprefix("## X\n\n").rstrip("\n") == text
    assert len(document.source_lines) == document.text.count("\n") + 1


def test_a_page_that_only_names_another_one_is_skipped(tmp_path):
    with pytest.raises(NotText, match="another page: man3"):
        read_one(tmp_path, "rotate.3", b'.\\" a comment\n.so man3/keyctl.3\n')


@pytest.mark.parametrize("data", [b"2026-01-01 GET /api\n.hidden file\n", b"release notes of 2.1\n"])
def test_logs_that_are_called_alike_are_text(tmp_path, data):
    document = read_one(tmp_path, "app.log.1", data)
    assert (document.kind, document.text) == ("text", data.decode())
