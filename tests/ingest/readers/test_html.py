"""What a page shows is its text, whatever its markup; what it never shows is not in it."""

from __future__ import annotations

import pytest

from embassay.ingest.base import SourceFile
from embassay.ingest.html_text import extract
from embassay.ingest.read import read
from tests.ingest.readers.made import read_all, read_one

PROSE = "The pump in the cellar has to be looked at by a fitter before the frost comes in November."
MENU = "<nav><a href=x>Home</a> <a href=y>Prices</a></nav>"


def text_of(page):
    return "\n".join(line for line in extract(page)[1].text if line)


SHOWN = {
    "a dialog was open": (
        f"<body><div id=root aria-hidden=true><h1>Pump</h1><p>{PROSE}</p></div><div role=dialog><p>Cookies?</p></div>",
        f"# Pump\n{PROSE}\nCookies?",
    ),
    "a main element behind a dialog": (f"<main aria-hidden=true><p>{PROSE}</p></main>", PROSE),
    "hidden behind a dialog": (f"<body hidden aria-hidden=true><p>{PROSE}</p>", PROSE),
    "an icon": (f"<p>{PROSE} <i class=icon aria-hidden=true>arrow_forward</i></p>", PROSE),
    "found by searching": ("<p>Seen.</p><div hidden=until-found>Also found.</div>", "Seen.\nAlso found."),
    "a folded part": ("<details><summary>More</summary><p>Inside.</p></details>", "More\nInside."),
    "definitions": ("<dl><dt>Valve<dd>It shuts.<dt>Pipe<dd>It leads.</dl>", "Valve\nIt shuts.\nPipe\nIt leads."),
    "a table": (
        "<table><caption>Ports</caption><tr><th>host<th>port<tr><td>a<td>80<br>443<tr><td><td>b</table>",
        "Ports\nhost | port\na | 80 443\n| b",
    ),
    "a table for layout": ("<table><tr><td><p>Left.</p><td><h2>Right</h2><p>Text.</p></table>", "Left.\n## Right\nText."),
    "a table in a table": ("<table><tr><td>out<td><table><tr><td>in<td>side</table></table>", "out\nin | side"),
    "a heading with a box in it": ("<h2><div class=icon></div><div>Keys</div></h2><p>x</p>", "## Keys\nx"),
    "a heading over two lines": ("<h2>Keys<br>and locks</h2>", "## Keys and locks"),
    "an item with a paragraph": ("<ul><li><p>one</p><p>two</p><li>three</ul>", "- one\ntwo\n- three"),
    "words side by side": ("<p><button>Copy</button><button>Paste</button><select><option>a<option>b</select>", "Copy Paste a b"),
    "letters side by side": ("<p><b>w</b>ord", "word"),
    "a form": ("<form><label>Name</label><input value=Ann><input type=hidden value=t><input type=submit value=Send>", "Name Ann Send"),
    "a field for text": ("<textarea>Dear <b>", "Dear <b>"),
    "a picture": ("<p>See <img src=p.png alt='A pump in a cellar'> and <img alt=IMG_1.png>.", "See A pump in a cellar and ."),
    "a drawing": ("<svg><title>icon</title><text>Cold <tspan>water</tspan></text><text>Warm</text></svg>", "Cold water\nWarm"),
    "a formula": ("<math><mi>a</mi><mo>+</mo><mn>1</mn><annotation encoding=TeX>a+1</annotation></math>", "a+1"),
    "a shadow tree": ("<x-box><template shadowrootmode=open><p>Shadow.</p></template></x-box>", "Shadow."),
    "a template": ("<template><p>{{name}}</p></template><p>x</p>", "x"),
    "a page in a frame": ('<p>Out.</p><iframe srcdoc="&lt;p&gt;In.&lt;/p&gt;&lt;script&gt;1&lt;/script&gt;"></iframe>', "Out.\nIn."),
    "scripts and styles": ("<p>a</p><script>b</script><style>c</style><noscript>d</noscript><!-- e -->", "a"),
    "code": ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
    "ruby": ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢(かん)"),
    "the footer of a quotation": ("<blockquote><p>To be.</p><footer>Hamlet</footer></blockquote>", "To be.\nHamlet"),
    "text beside the main element": (f"<body>{PROSE}<main><p>Main.</p></main>", f"{PROSE}\nMain."),
    "a paragraph beside the main element": (f"<body>{MENU}<main><p>Main.</p></main><div><p>{PROSE}</p></div>", f"Main.\n{PROSE}"),
    "a title above the main element": (f"<header><h1>Pumps</h1>{MENU}</header><main><p>{PROSE}</p></main>", f"# Pumps\n{PROSE}"),
    "a menu beside the main element": (f"<div class=side><a>{PROSE}</a></div>{MENU}<main><p>{PROSE}</p></main><footer>(c)</footer>", PROSE),
    "two main elements": ("<main>one</main><main>two</main>", "one\ntwo"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHOWN)
def test_what_a_page_shows(kind):
    page, expected = SHOWN[kind]
    assert text_of(page) == expected


WHOLE = {
    "nothing but a menu": (f"<body>{MENU}", "Home Prices"),
    "nothing but a footer": ("<body><footer><p>Harbour Bakery</p></footer>", "Harbour Bakery"),
    "a small main element": (f"<nav><p>{PROSE}</p></nav><main>Hi</main>", f"{PROSE}\nHi"),
    "nothing but what is hidden": (f"<body><div hidden><p>{PROSE}</p></div>", PROSE),
    "hidden behind a long dialog": (
        f"<div id=root hidden><p>{PROSE}</p></div><dialog open>{PROSE[:60]}</dialog>",
        f"{PROSE}\n{PROSE[:60].strip()}",
    ),
    "mostly hidden": (f"<p>Loading</p><div id=app hidden><p>{PROSE}</p></div>", f"Loading\n{PROSE}"),
    "nothing without scripts": (
        "<body><div id=app></div><noscript>The shop is closed.</noscript>",
        "The shop is closed.",
    ),
    "nothing but a head": (
        "<head><title>Harbour Bakery</title><meta name=description content='Bread since 1911.'></head><body></body>",
        "Harbour Bakery\nBread since 1911.",
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_page_is_never_left_without_its_words(kind):
    page, expected = WHOLE[kind]
    assert text_of(page) == expected


def test_lines_of_tables_frames_and_drawings_are_those_of_the_page():
    lines = extract(
        "<p>a</p>\n<table>\n<tr>\n<td>b</td><td>c</td></tr>\n</table>\n<svg>\n<text>d</text></svg>\n<iframe srcdoc=e></iframe>"
    )[1]
    found = {text: number for text, number in zip(lines.text, lines.numbers, strict=True) if text}
    assert found == {"a": 1, "b | c": 3, "d": 7, "e": 8}


def page(label, text="", *, encoding="ascii", before="", attribute="charset"):
    meta = (
        f'<meta charset="{label}">'
        if attribute == "charset"
        else f'<meta http-equiv=x content="text/html; charset={label}">'
    )
    return (
        before.encode() + f"<html><head>{meta}</head><body><p>".encode() + text.encode(encoding) + b"</p></body></html>"
    )


ENCODED = {
    "latin-1 means windows-1252": (page("iso-8859-1", "20 € “now”", encoding="cp1252"), "20 € “now”"),
    "another name of latin-1": (page("l1", "naïve…", encoding="cp1252", attribute="content"), "naïve…"),
    "UTF-16 that is none": (page("utf-16", "thirty days"), "thirty days"),
    "UTF-16 that is UTF-8": (page("utf-16le", "fünf Tage", encoding="utf-8"), "fünf Tage"),
    "latin-1 that is UTF-8": (page("iso-8859-1", "fünf Tage", encoding="utf-8"), "fünf Tage"),
    "UTF-8 that is windows-1252": (page("utf-8", "fünf Tage in der Bäckerei für größere Brötchen", encoding="cp1252"),
                                   "fünf Tage in der Bäckerei für größere Brötchen"),
    "Latin-5 of Turkey": (page("iso-8859-9", "İstanbul’da yağmur", encoding="cp1254"), "İstanbul’da yağmur"),
    "GB 2312 with more characters": (page("gb2312", "備份服务器镕", encoding="gb18030"), "備份服务器镕"),
    "two characters that look like UTF-8": (page("gbk", "联通", encoding="gbk"), "联通"),
    "Shift JIS of Windows": (page("shift_jis", "①備考～", encoding="cp932"), "①備考～"),
    "Korean of Windows": (page("euc-kr", "똠방각하", encoding="cp949"), "똠방각하"),
    "Thai": (page("tis-620", "วันหยุดประจำปี", encoding="cp874"), "วันหยุดประจำปี"),
    "seven bits": (page("iso-2022-jp", "備考です", encoding="iso2022_jp"), "備考です"),
    "HZ": (page("hz-gb-2312", "备份", encoding="hz"), "备份"),
    "an XML declaration": (page("", "ключ", encoding="koi8-r", before='<?xml version="1.0" encoding="koi8-r"?>'), "ключ"),
    "an unknown name": (page("x-nothing", "fünf Tage", encoding="utf-8"), "fünf Tage"),
    "a codec that is no encoding": (page("rot13", "thirty days"), "thirty days"),
    "UTF-16 without a mark": (page("utf-8", "fünf", encoding="latin-1").decode("latin-1").encode("utf-16-le"), "fünf"),
    "one byte that is none": (page("windows-1251", "ключ " * 40, encoding="cp1251").replace(b"</p>", b"\x98</p>"), ("ключ " * 40).strip()),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENCODED)
def test_a_page_is_in_the_encoding_that_it_means(tmp_path, kind):
    data, expected = ENCODED[kind]
    file = tmp_path / "a.html"
    file.write_bytes(data)
    document, *told = read(SourceFile(file, "a.html"))
    assert document.text.strip().rstrip("\ufffd ") == expected and len(told) == document.text.count("\ufffd")


SHELL = '<html><head><title>Shop</title></head><body>{}<div id="root"></div><script src="a.js"></script></body></html>'


@pytest.mark.parametrize("beside", ["", "<noscript>Please switch on JavaScript to see this page.</noscript>"])
def test_a_page_that_scripts_make_is_told(tmp_path, beside):
    _, told = read_all(tmp_path, "a.html", SHELL.format(beside).encode())
    assert "made by scripts" in told.reason


def test_a_page_that_shows_something_before_its_scripts_run_is_whole(tmp_path):
    page = SHELL.format("<p>Open on Sunday.</p><noscript>No maps without scripts.</noscript>")
    assert "Open on Sunday." in read_one(tmp_path, "a.html", page.encode()).text


@pytest.mark.parametrize("mark", ['<a href="#n1"><sup>1</sup></a>', '<sup><a href="#n1">1</a></sup>'])
def test_the_mark_of_a_note_is_no_part_of_the_word_before_it(tmp_path, mark):
    page = f"<p>Basalt{mark} covers 5 m<sup>2</sup>.</p>"
    assert read_one(tmp_path, "a.html", page.encode()).text.strip() == "Basalt 1 covers 5 m2."
