"""LaTeX, manual pages, XML, Rich Text, subtitles."""

from __future__ import annotations

from xml.sax.saxutils import escape

from benchmarks.format_samples.words import Forms, Words


def tex(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: f"% {words.unseen()}",
        lambda: f"\\section{{{words.text(2)}}}\\label{{x}}",
        lambda: f"\\begin{{itemize}}\n\\item {words.text()}\n\\item[{words.word()}] {words.text()}\n\\end{{itemize}}",
        lambda: (
            f"\\begin{{tabular}}{{ll}}\n{words.word()} & {words.word()} \\\\\n{words.word()} & {words.word()}\\\\\n\\end{{tabular}}"
        ),
        lambda: (
            f"\\textbf{{{words.word()} \\emph{{{words.word()}}}}} 50\\% {words.word()}\\footnote{{{words.text(2)}}}"
        ),
        lambda: f"\\begin{{verbatim}}\n{words.word()}\n\\end{{verbatim}}",
        lambda: f"\\begin{{figure}}[t]\\includegraphics{{a.png}}\\caption{{{words.text(3)}}}\\end{{figure}}",
        lambda: f"$x^2$ {words.word()}~{words.word()} \\href{{https://example.org}}{{{words.word()}}}",
    )
    body = "\n\n".join(words.one_of(*more)() for _ in range(7))
    title = words.text(2)
    return (
        "a.tex",
        f"\\documentclass{{article}}\n\\title{{{title}}}\n\\begin{{document}}\n{body}\n\\end{{document}}".encode(),
    )


def man(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: f'.\\" {words.unseen()}',
        lambda: f".SH {words.text(2)}\n{words.text()}",
        lambda: f'.TP\n.BR {words.word()} ", " {words.word()}\n{words.text()}',
        lambda: f".PP\n\\fB{words.word()}\\fR and \\fI{words.word()}\\fP\\-{words.word()}",
        lambda: f".nf\n{words.text()}\n.fi",
        lambda: f".IP \\(bu 2\n{words.text()}",
        lambda: f".RS\n{words.text()}\n.RE",
        lambda: f'.B "{words.word()} {words.word()}"',
    )
    body = "\n".join(words.one_of(*more)() for _ in range(8))
    return "a.1", f".TH A 1\n.SH NAME\n{words.word()} \\- {words.text()}\n{body}\n".encode()


def mdoc(words: Words) -> str:
    return (
        f".Dd November 20, 2026\n.Dt A 1\n.Os\n.Sh NAME\n.Nm {words.word()}\n.Nd {words.text(3)}\n.Sh DESCRIPTION\n{words.text()}\n"
        f".Bl -tag -width x\n.It Fl d Ar {words.word()}\n{words.text()}\n.El\n.Dq {words.word()}\n.Op Fl v Ar {words.word()}\n"
    )


def manual(words: Words) -> tuple[str, bytes]:
    return ("a.8", mdoc(words).encode()) if words.rng.random() < 0.25 else man(words)


def xml(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: f"<para>{words.text()} <emphasis>{words.word()}</emphasis> {words.word()}</para>",
        lambda: f"<section><title>{words.text(2)}</title><para>{words.text()}</para></section>",
        lambda: f"<!-- {words.unseen()} -->",
        lambda: f"<record><name>{words.word()}</name><city>{words.word()}</city></record>",
        lambda: f"<para><![CDATA[{words.text()} & more]]></para>",
        lambda: f'<figure alt="{words.word()} {words.word()} {words.word()}"/>',
        lambda: f"<itemizedlist><listitem><para>{words.text()}</para></listitem></itemizedlist>",
        lambda: f"<row><entry>{words.word()}</entry><entry>{words.word()}</entry></row>",
    )
    encoding = words.one_of("utf-8", "utf-16")
    body = "".join(words.one_of(*more)() for _ in range(8))
    root = f'<?xml version="1.0" encoding="{encoding}"?>\n<article><title>{words.text(2)}</title>{body}</article>'
    return "a.xml", root.encode(encoding)


def feed(words: Words) -> tuple[str, bytes]:
    items = "".join(
        f"<item><title>{words.text(2)}</title><description>{escape(f'<p>{words.text()}</p>')}</description></item>"
        for _ in range(3)
    )
    return "a.rss", f"<rss><channel><title>{words.text(2)}</title>{items}</channel></rss>".encode()


def markup(words: Words) -> tuple[str, bytes]:
    return feed(words) if words.rng.random() < 0.25 else xml(words)


def _rtf(text: str) -> str:
    return "".join(c if c.isascii() else "".join(f"\\u{unit}?" for unit in _units(c)) for c in text)


def _units(character: str) -> list[int]:
    data = character.encode("utf-16-le")
    units = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    return [unit - 65536 if unit > 32767 else unit for unit in units]


def rtf(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: f"\\pard\\s1 {_rtf(words.text(2))}\\par",
        lambda: f"\\pard {{\\b {_rtf(words.word())}}} {_rtf(words.text())}\\par",
        lambda: f"\\trowd\\pard\\intbl {_rtf(words.word())}\\cell {_rtf(words.word())}\\cell\\row",
        lambda: f"\\pard {_rtf(words.word())}{{\\footnote\\pard {_rtf(words.text(2))}}} {_rtf(words.word())}\\par",
        lambda: f"{{\\deleted {_rtf(words.unseen())}}}",
        lambda: f'{{\\field{{\\*\\fldinst HYPERLINK "x"}}{{\\fldrslt {_rtf(words.word())}}}}}\\par',
        lambda: "{\\pict\\pngblip 89504e47}",
        lambda: f"{{\\shp{{\\*\\shpinst{{\\shptxt {_rtf(words.text(2))}}}}}}}\\par",
    )
    body = "\n".join(words.one_of(*more)() for _ in range(8))
    head = (
        "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\stylesheet{\\s1 heading 1;}}" + f"{{\\header {_rtf(words.text(2))}}}"
    )
    return "a.rtf", f"{head}{body}}}".encode("ascii")


def captions(words: Words) -> tuple[str, bytes]:
    suffix = words.one_of(".vtt", ".srt")
    mark = "." if suffix == ".vtt" else ","
    cues = []
    for at in range(words.rng.randint(2, 9)):
        said = words.one_of("{}", "<i>{}</i>", "- {}").format(words.text(4))
        cues.append(f"{at + 1}\n00:{at:02d}:01{mark}000 --> 00:{at:02d}:04{mark}000\n{said}\n")
    head = f"WEBVTT\n\nNOTE {words.unseen()}\n\n" if suffix == ".vtt" else ""
    return "a" + suffix, (head + "\n".join(cues)).encode(words.one_of("utf-8", "utf-8-sig"))


MAKERS = {"tex": tex, "man": manual, "xml": markup, "rtf": rtf, "captions": captions}
