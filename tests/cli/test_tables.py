"""Tables in terminals of any width, with whatever documents and users wrote."""

import io

import pytest
from rich.console import Console

from embassay.cli import common
from embassay.cli.tables import facts, indented, line, table, text


def printed(what, width=80):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(what)
    return out.getvalue()


def test_words_are_no_markup():
    shown = printed(table(("set", "why"), [["[red]a[/red]", "[/b] [link=x]"]], wrap=("why",)))
    assert "[red]a[/red]" in shown and "[/b] [link=x]" in shown
    assert "[b]x[/b]" in printed(facts([("[b]x[/b]", "y")]))


def test_what_a_terminal_would_obey_becomes_a_space():
    assert "\x1b" not in printed(table(("set",), [["\x1b[31mred"]]))
    assert text("a\x9b31m\nb").plain == "a 31m\nb" and line("a\nb").plain == "a b"


def test_numbers_are_whole_and_words_wrap_where_it_is_narrow():
    rows = [["a-name-of-forty-characters-" + "x" * 13, "1,234,567", "a reason of several words"]]
    shown = printed(table(("set", "chunks", "why"), rows, wrap=("why",)), width=40)
    assert "1,234,567" in shown
    joined = "".join(line[1:15].strip() for line in shown.splitlines()[3:])
    assert "a-name-of-forty-characters-" in joined


def test_rows_of_one_line_are_drawn_as_those_that_are_laid_out():
    rows = [["a", "1", "[b]x"], ["漢字", "1,234", text("styled", "bold red")], ["e\u0301", "", ""]]
    made = table(("set", "chunks", "why"), rows, wrap=("why",))
    laid_out = [line.rstrip() for line in printed(made._table()).splitlines()]
    assert [line.rstrip() for line in printed(made).splitlines()] == laid_out


STATUS = ("set", "space", "lang", "docs", "chunks", "cut", "failed", "size")
LARGE = [
    "a-set-with-a-long-name-" * 2,
    "text-embedding-3-large@0123456789ab:3072->256",
    "mul",
    "1,234,567",
    "123,456,789",
]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 110])
def test_numbers_are_whole_at_any_width(width):
    row = [*LARGE, "9,999,999", "1,000,000", "123.4 GB"]
    shown = printed(table(STATUS, [row, ["b", *row[1:]]], left=("space", "lang")), width)
    for number in row[3:]:
        assert shown.count(number) == 2, shown
    assert max(map(len, shown.splitlines())) <= width
    words = "".join(shown.split())
    assert all("".join(name.split()) in words for name in STATUS)


def test_a_row_is_a_block_where_its_numbers_do_not_fit():
    made = table(("model", "tokens", "USD"), [["e5", "1,234,567,890", "123.45"], ["bge", "5", "-"]], title="Prices")
    assert printed(made, 26).split() == [
        "Prices", "e5", "tokens", "1,234,567,890", "USD", "123.45", "bge", "tokens", "5", "USD", "-",
    ]  # fmt: skip


def test_the_first_column_is_no_wider_than_its_names():
    shown = printed(table(("set", "chunks"), [["docs", "1"], ["b", "22"]]))
    assert [line.rstrip() for line in shown.splitlines() if line.strip()][2:] == [" docs       1", " b         22"]


def test_a_line_has_styles_and_no_markup():
    made = line(("docs[0]", "bold"), " holds :smile: [b]3[/b]\x1b")
    assert made.plain == "docs[0] holds :smile: [b]3[/b] "
    assert [(span.start, span.end, span.style) for span in made.spans if span.style] == [(0, 7, "bold")]


def test_a_string_is_printed_as_it_is(capsys):
    common.console().print("a [red]file[/red] :smile: 3")
    common.messages().print("a [red]file[/red] :smile: 3")
    assert capsys.readouterr() == ("a [red]file[/red] :smile: 3\n",) * 2


def test_facts():
    assert printed(facts([("size", "3"), ("licence", "mit")])).split() == ["size", "3", "licence", "mit"]


def test_every_line_is_indented():
    assert all(line.startswith("   ") for line in printed(indented(text("word " * 40), 3)).splitlines())
