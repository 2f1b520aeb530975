"""XML is parsed within limits, and what is wrong with it is told."""

from __future__ import annotations

import pytest

from embassay.errors import ReadError
from embassay.ingest.readers._xml import attribute, local, parse, parse_leniently, text_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<a>one <b>two</b> three<!-- no --><?no no?></a>", "one two three"),
        ("<a>Grüße</a>".encode("utf-16"), "Grüße"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>Grüße</a>'.encode("latin-1"), "Grüße"),
        (b"<a>&amp;x&nbsp;y&eacute; z</a>", "&x yé z"),
        (b'<!DOCTYPE a SYSTEM "b.dtd"><a>x&nbsp;y&mdash;z <b/>&copy;</a>', "x y\u2014z ©"),
        (b'<!DOCTYPE a [<!ENTITY p "Frob <b>Master</b>">]><a>The &p;, &amp; more</a>', "The Frob Master, & more"),
        (b'<!DOCTYPE a [<!ENTITY p SYSTEM "file:///etc/passwd">]><a>x &p; y</a>', "x &p; y"),
        (b"<p:a>a prefix that nobody declared</p:a>", "a prefix that nobody declared"),
    ],
)
def test_text(data, text):
    assert text_of(parse(data, "XML")) == text


@pytest.mark.parametrize("data", [b"", b"hello", b"\0\0\0", b"<", b"\xff\xfe<"])
def test_what_is_no_xml(data):
    with pytest.raises(ReadError, match="not a readable EPUB"):
        parse_leniently(data, "EPUB")


@pytest.mark.parametrize("data", [b"<a>kept <b>", b"<a>kept</a> more", b"<a>kept</b>", b"<x>kept" + b"<a>" * 300])
def test_what_is_in_front_of_a_fault_is_kept(data):
    root, fault = parse_leniently(data, "XML")
    assert text_of(root) == "kept" and fault
    with pytest.raises(ReadError, match="not a readable XML"):
        parse(data, "XML")


def test_entities_do_not_multiply():
    levels = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    with pytest.raises(ReadError):
        parse(f'<!DOCTYPE x [<!ENTITY l0 "ha">{levels}]><x>&l11;</x>'.encode(), "XML")
    long = f'<!DOCTYPE x [<!ENTITY l "{"long " * 190}">]><x>{"&l;" * 5_000}</x>'
    with pytest.raises(ReadError, match=r"entities|amplification"):
        parse(long.encode(), "XML")


def test_names_without_namespaces():
    root = parse(b'<x:a xmlns:x="urn:x" x:b="1" c="2"><!-- --></x:a>', "XML")
    assert (local(root), attribute(root, "b"), attribute(root, "c"), attribute(root, "d")) == ("a", "1", "2", "")
    assert local(root[0]) == ""
