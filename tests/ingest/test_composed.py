"""Documents are composed where they pass: their texts, names and headings, and where the headings stand."""

from __future__ import annotations

import unicodedata

import pytest

from embassay.ingest.base import SourceFile
from embassay.ingest.read import read

PARTS = unicodedata.normalize("NFD", "Köln übt Größe. 학점인정 안내. ")
PAGES = {
    "page.html": "<title>{t}</title><main><h1>Ä eins</h1><p>{t}</p><h2>Ö zwei</h2><p>{t}</p></main>",
    "page.py": "# {t}\ndef one():\n    return 1\n\n\n# {t}\ndef two():\n    return 2\n",
    "page.md": "# Ä eins\n\n{t}\n\n## Ö zwei\n\n{t}\n",
}


@pytest.mark.parametrize("name", PAGES)
def test_headings_stand_where_they_did(tmp_path, name):
    found = {}
    for form in ("NFC", "NFD"):
        file = tmp_path / name
        file.write_text(unicodedata.normalize(form, PAGES[name].format(t=PARTS)), "utf-8")
        (found[form],) = read(SourceFile(file, unicodedata.normalize(form, f"Ordner ä/{name}")))
    assert found["NFD"] == found["NFC"]
    document = found["NFD"]
    assert document.path == document.id == f"Ordner ä/{name}" and "Köln" in document.text
    assert [document.text[h.at :].split("(")[0] for h in document.headings] == (
        ["def one", "def two"] if name == "page.py" else []
    )
