"""Small inputs that once lost text: each is indexed as a user would, and found by the words that a person reads in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import embassay
from embassay.home import Home

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
FOUND: dict[str, Sequence[str]] = {
    "csv/excel.csv": ["rent is due", "third working day", "Dogs are welcome", "garden house"],
    "csv/faq.csv": ["Monday to Friday", "gate is locked", "until six", "Lost keys", "porter"],
    "csv/passages.tsv": [
        "tide is high",
        "said the captain",
        "Unclosed quotations",
        "Lighthouses painted in bands",
        "harbour master",
        "pilot boards every ship",
        "Fishing boats",
    ],
    "docx/block.docx": ["Contract of lease", "Harbour Bakery Limited", "Signed in spring"],
    "docx/nested.docx": ["Outer cell", "marmalade"],
    "docx/tracked.docx": ["notice period", "three months", "both sides"],
    "html/latin1.html": ["buyer", "opened", "20 €"],
    "html/utf16meta.html": ["Refunds", "goods within thirty days"],
    "json/rows.jsonl": [
        "otters",
        "beavers",
        "reset the meter",
        "ten seconds",
        "Only a title",
        "herons",
        "storks",
        "cranes",
    ],
    "lexical/artifact.md": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    "lexical/ja.md": ["交通費", "領収書", "給与口座"],
    "lexical/ko.md": ["비밀번호", "재설정", "이메일"],
    "lexical/uuid.md": ["3fa85f6457174562b3fc2c963f66afa6", "ERR_CONN_4711"],
    "lexical/zh.md": ["备份服务器", "旧快照", "管理员"],
    "lexical/handbook-zh.md": ["年假制度", "差旅报销", "机房巡检"],
    "mail/blank.eml": ["Delivery of the pump", "Thursday at gate four"],
    "mail/nocharset.eml": ["Bäckerei", "öffnet", "frische Brötchen"],
    "notebook/churn.ipynb": ["Churn analysis", "call support twice", "plot_churn", "fit_model"],
    "pdf/hyphen.pdf": ["procurement", "transformer", "eleven months"],
    "pdf/nul.pdf": ["turbine", "annex seven"],
    "text/jis.txt": ["返品", "領収書"],
    "text/tis.txt": ["รหัสผ่าน", "รีเซ็ต"],
    "text/titles.txt": ["first title", "fourth with a separator", "form feed", "next line"],
    "unicode/cv.md": ["Résumé", "Köln", unicodedata.normalize("NFD", "Köln"), "Prüfungsergebnisse"],
}
"""Path of a case to what people would search in it."""
LOST = {
    "docx/tracked.docx": "one month",
    "csv/excel.csv": "sep=",
    "notebook/churn.ipynb": "RCCCPP3m8c",
    "html/latin1.html": "\ufffd",
    "mail/nocharset.eml": "\ufffd",
    "text/tis.txt": "\ufffd",
    "pdf/nul.pdf": "\0",
}
"""Path of a case to what must not be in its chunks."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that holds all cases but the judged ones, which are no documents."""
    if not CASES.is_dir():
        pytest.skip("needs ../shared/cases, which is not part of the repository")
    folder = tmp_path_factory.mktemp("cases")
    with embassay.open(folder / ".embassay") as opened:
        opened.index([path for path in sorted(CASES.iterdir()) if path.name != "judged"], model="hash/words")
        yield opened


@pytest.mark.parametrize(("path", "words"), [(path, words) for path, all_ in FOUND.items() for words in all_])
def test_a_case_is_found_by_its_words(home: Home, path: str, words: str) -> None:
    found = [hit.chunk.path for hit in home.search(words, 3, mode="lexical").hits]
    assert any(name.endswith(path) for name in found), found


@pytest.mark.parametrize(("path", "junk"), LOST.items())
def test_what_nobody_reads_is_not_indexed(home: Home, path: str, junk: str) -> None:
    hits = home.search("the", 100, mode="dense", where=f'path ~ "**/{path}"').hits
    assert hits
    assert not any(junk in hit.chunk.indexed for hit in hits)


def test_every_case_is_among_them(home: Home) -> None:
    """A case that is added later has to be given words of its own."""
    files = {file.relative_to(CASES).as_posix() for file in CASES.rglob("*") if file.is_file()}
    assert {name for name in files if not name.startswith("judged/")} == set(FOUND)
