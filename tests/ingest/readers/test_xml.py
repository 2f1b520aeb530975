"""XML of several vocabularies."""

from __future__ import annotations

import pytest

from embassay.errors import NotText, ReadError
from tests.ingest.readers.made import XML, read_all, read_one

RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel>
<title>Pump news</title><description>All about pumps</description>
<item><title>New seals</title><link>https://x.org/1</link><guid>tag:1</guid><pubDate>Fri, 20 Nov 2026 09:00 +0100</pubDate>
<description>&lt;p&gt;Seals for &lt;b&gt;old&lt;/b&gt; pumps&lt;/p&gt;</description></item>
<item><title>Valves</title><link>https://x.org/2</link><description>short</description>
<c:encoded><![CDATA[<p>The whole <i>text</i> on valves</p>]]></c:encoded></item>
</channel></rss>"""


def test_titles_of_sections_are_headings_and_lines_are_true(tmp_path):
    document = read_one(tmp_path, "a.xml", XML)
    assert document.text == "# Keys\n\n## Rotation\n\nRotate the key before Friday.\n\nSee chapter 4\n\none\n"
    lines = dict(zip(document.text.split("\n"), document.source_lines, strict=True))
    assert (lines["# Keys"], lines["Rotate the key before Friday."], lines["one"]) == (2, 3, 4)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("<r><user><name>Ann</name><city>Bern</city></user></r>", "name: Ann\ncity: Bern\n"),
        ('<resources><string name="a">Save the file</string><string name="b">Open</string></resources>', "Save the file\n\nOpen\n"),
        ('<form><field label="Your full name" id="full name"/></form>', "label: Your full name\nid: full name\n"),
        ('<a class="col-md-4 x" href="/some/where" style="margin: 0 auto">a text of some length</a>', "a text of some length\n"),
        ("<a>before <b>bold</b>, <c>and</c> after</a>", "before bold, and after\n"),
        ("<doc><p>One <b>two</b></p><p>three<fn><p>note</p></fn> four</p></doc>", "One two\n\nthree four\n\nnote\n"),
        ("<chapter><title>T</title><programlisting>a = 1\n  b</programlisting></chapter>", "# T\n\n```\na = 1\n  b\n```\n"),
        ("<article><table><row><entry>host</entry><entry>port</entry></row><row><entry>a</entry><entry>1</entry></row></table></article>", "host | port\na | 1\n"),
        ("<x><!-- comment --><?pi no?><![CDATA[kept & sound]]></x>", "kept & sound\n"),
        ("<x><para># no heading</para></x>", "\\# no heading\n"),
        ('<!DOCTYPE x [<!ENTITY prod "Frobnicator">]><x>The &prod; &mdash; new&nbsp;one</x>', "The Frobnicator \u2014 new one\n"),
        ("<TEI><text><body><div><head>Act</head><p>words</p></div></body></text></TEI>", "## Act\n\nwords\n"),
    ],
)  # fmt: skip
def test_text(tmp_path, data, text):
    assert read_one(tmp_path, "a.xml", data.encode()).text.rstrip("\n") == text.rstrip("\n")


def test_entries_of_a_feed_are_documents(tmp_path):
    first, second, channel = read_all(tmp_path, "a.rss", RSS.encode())
    assert (first.id, first.title, first.text) == ("a.rss#tag:1", "New seals", "Seals for old pumps")
    assert first.metadata == {"link": "https://x.org/1", "date": "2026-11-20T08:00:00+00:00"}
    assert (second.id, second.text.split("\n")) == ("a.rss#https://x.org/2", ["The whole text on valves", "", "short"])
    assert second.source_lines == (5,)
    assert "Pump news" in channel.text and "All about pumps" in channel.text and "seals" not in channel.text


def test_atom(tmp_path):
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><title>E</title><id>urn:1</id><link href="https://x.org"/><updated>2026-11-20</updated><author><name>Ann</name></author><summary>words of it</summary></entry></feed>'  # fmt: skip
    entry, _ = read_all(tmp_path, "a.atom", feed.encode())
    assert (entry.id, entry.title, entry.text) == ("a.atom#urn:1", "E", "words of it")
    assert entry.metadata == {"link": "https://x.org", "date": "2026-11-20", "author": "Ann"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "IBM850", "mac-roman"])
def test_declared_encodings(tmp_path, encoding):
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>größer</a>'.encode(encoding)
    assert read_one(tmp_path, "a.xml", data).text.strip() == "größer"


def test_an_encoding_that_is_not_the_declared_one(tmp_path):
    text = "Die Größe der Straße überrascht. " * 9
    data = f'<?xml version="1.0" encoding="utf-8"?><a>{text}</a>'.encode("cp1252")
    assert read_one(tmp_path, "a.xml", data).text.strip() == text.strip()


def test_settings_stay_as_they_are_written(tmp_path):
    data = b'<!-- the store --><Configure><Set name="session.store.host" default="localhost"/><Call name="start"/></Configure>'
    document = read_one(tmp_path, "a.xml", data)
    assert (document.kind, document.text) == ("text", data.decode())


def test_what_is_in_front_of_a_fault_is_kept_and_the_fault_is_told(tmp_path):
    document, error = read_all(tmp_path, "a.xml", b"<a><para>kept</para><para>also</b>")
    assert "kept" in document.text
    assert isinstance(error, ReadError) and "not well-formed" in str(error)


def test_what_is_skipped_and_refused(tmp_path):
    with pytest.raises(NotText, match="drawing"):
        read_all(tmp_path, "a.xml", b'<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>')
    with pytest.raises(NotText, match="binary"):
        read_all(tmp_path, "a.xml", b"\x89PNG\r\n\x1a\n\0\0\0")
    with pytest.raises(ReadError, match="XML"):
        read_all(tmp_path, "a.xml", b"<!")


@pytest.mark.parametrize(
    "data", [b"no markup at all", b"{% if x %}\n<a>{{ words }}</a>\n{% endif %}\n", b"<%= words %><a/>"]
)
def test_what_does_not_begin_as_xml_is_text(tmp_path, data):
    document = read_one(tmp_path, "a.xml", data)
    assert (document.kind, document.text) == ("text", data.decode())


def test_a_page_that_is_called_xml(tmp_path):
    page = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head><body><h1>Keys</h1></body></html>'
    document = read_one(tmp_path, "a.xml", page)
    assert (document.title, document.text) == ("T", "# Keys\n")
