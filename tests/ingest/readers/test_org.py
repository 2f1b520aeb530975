"""Org files, whose lines stay where they are."""

from __future__ import annotations

import pytest

from tests.ingest.readers.made import ORG, read_one


def test_a_document(tmp_path):
    document = read_one(tmp_path, "a.org", ORG)
    assert (document.title, document.source_lines) == ("Keys", None)
    assert document.text == "Keys\n# Rotation ops\n\n\n\nRotate the key.\n\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("** TODO [#A] Deep :a:b:", "## TODO [#A] Deep a b"),
        ("*bold* is no heading", "*bold* is no heading"),
        ("#+begin_src python :results x\n* no heading\n# code\n#+end_src", "```python\n* no heading\n# code\n```"),
        ("#+BEGIN_EXAMPLE\n#+begin_src\n#+END_EXAMPLE\nafter", "```\n#+begin_src\n```\nafter"),
        ("#+begin_quote\nsaid\n#+end_quote", "\nsaid\n"),
        ("#+begin_comment\nhidden\n#+end_comment\nshown", "\n\n\nshown"),
        ("| a | b |\n|---+---|\n| 1 | 2 |", "| a | b |\n\n| 1 | 2 |"),
        ("#+CAPTION: A [[x][table]]\n#+ATTR_HTML: :width 1", "A table\n"),
        (":LOGBOOK:\nCLOCK: [2026]\n:END:\ntext", "\n\n\ntext"),
        (":not a drawer\n:OPEN:\nno end", ":not a drawer\n:OPEN:\nno end"),
        ("see [[https://x.org]] and [[file:a.org][this]]", "see https://x.org and this"),
        ("- item\n  1. deeper\n- term :: words", "- item\n  1. deeper\n- term :: words"),
    ],
)
def test_text(tmp_path, data, text):
    found = read_one(tmp_path, "a.org", data.encode()).text
    assert found == text and found.count("\n") == data.count("\n")
