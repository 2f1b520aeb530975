"""LaTeX: what divides a text, what stands in a paragraph, and what happens without the library."""

from __future__ import annotations

import sys

import pytest

from embassay.errors import NotText
from embassay.ingest.readers import tex
from tests.ingest.readers.made import TEX, read_all, read_one


def test_the_body_under_its_sections(tmp_path):
    document = read_one(tmp_path, "a.tex", TEX)
    assert (document.title, document.text) == ("Keys", "## Rotation\n\nRotate the café key before α.\n")
    assert document.source_lines == [4, 4, 5, 5]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"\section*{A \emph{long}" + "\n" + r"title}\label{x} text", "## A long title\n\ntext"),
        (r"\subsection[short]{Longer} % no", "### Longer"),
        (r"50\% of \$5 \& more % hidden \% words", "50% of $5 & more"),
        (r"Sm\o rrebr\o d, na\"ive, \'Etude, \c{c}a, Stra\ss e", "Smørrebrød, naïve, Étude, ça, Straße"),
        (r"``quoted'' -- and --- so on~here", "\u201cquoted\u201d \u2013 and \u2014 so on here"),
        (r"$\alpha \leq \frac{1}{2}$ and \(x^2\)", "α≤1/2 and x^2"),
        ("\\begin{align*}\na &= b \\\\\n\n c &= d\n\\end{align*}", "a = b\nc = d"),
        ("\\begin{itemize}\n\\item one\n\\item[two] three\n\\end{itemize}", "- one\n\n- two three"),
        ("\\begin{tabular}{|l|c|}\\hline\nItem & Price \\\\ \\hline\nPump & 5\\\\\n\\end{tabular}\nafter", "Item | Price\nPump | 5\n\nafter"),
        ("\\begin{verbatim}\n\\no % macro\n\\end{verbatim}", "```\n\\no % macro\n```"),
        ("\\begin{lstlisting}[language=C]\nint x; % kept\n\\end{lstlisting}", "```\nint x; % kept\n```"),
        (r"\verb|a_b{c}| and \lstinline!x%y!", "a_b{c} and x%y"),
        ("\\begin{comment}\nnobody\n\\end{comment}\nsomebody", "somebody"),
        ("\\begin{theorem}[Pythagoras] words \\end{theorem}", "Pythagoras words"),
        (r"see \cite{x2020} and Figure~\ref{fig:a}\includegraphics[width=3cm]{a.png}.", "see and Figure ."),
        (r"\href{https://x.org}{the link}, \url{https://y.org}", "the link, <https://y.org>"),
        (r"\unknown{kept} \textbf{bold \textit{both}}", "kept bold both"),
        (r"a\footnote{the note} b", "a[the note] b"),
        (r"\newcommand{\foo}[1]{not #1 shown} shown", "shown"),
        ("one\n% a comment between\ntwo\n\nthree", "one two\n\nthree"),
        (r"\# no heading", "\\# no heading"),
    ],
)  # fmt: skip
def test_text(tmp_path, body, text):
    data = r"\documentclass{article}\begin{document}" + "\n" + body + "\n" + r"\end{document} behind"
    assert read_one(tmp_path, "a.tex", data.encode()).text.rstrip("\n") == text


def test_a_chapter_without_a_preamble(tmp_path):
    assert read_one(tmp_path, "a.tex", b"\\chapter{One}\nwords\n").text == "# One\n\nwords\n"


def test_authors_stand_below_the_title(tmp_path):
    data = rb"\title{Of \emph{Pumps}}\author{Ann \and Bo}\begin{document}\maketitle words\end{document}"
    document = read_one(tmp_path, "a.tex", data)
    assert (document.title, document.metadata) == ("Of Pumps", {"author": "Ann Bo"})
    assert document.text.split("\n") == ["Ann Bo", "", "words", ""]


def test_a_table_is_no_text_that_is_lost(tmp_path):
    rows = "".join(
        rf"\multicolumn{{2}}{{>{{\raggedleft\arraybackslash}}p{{3cm}}}}{{{at}}} \tabularnewline\addlinespace[0.5em]"
        + "\n"
        for at in range(60)
    )
    data = rf"\begin{{longtable}}[]{{@{{}}lr@{{}}}}\toprule{rows}\end{{longtable}}"
    assert "59" in read_one(tmp_path, "a.tex", data.encode()).text


def test_what_the_library_fails_over_keeps_its_words(tmp_path):
    text = read_one(tmp_path, "a.tex", b"before " + b"{" * 3_000 + b"deep" + b"}" * 3_000 + b" after").text
    assert text.split() == ["before", "deep", "after"]


def test_without_the_library_files_are_skipped_with_the_line_that_mends_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylatexenc.latex2text", None)
    tex._converter.cache_clear()
    with pytest.raises(NotText, match=r"pip install '\.\[formats\]'"):
        read_all(tmp_path, "a.tex", TEX)
