"""Jupyter notebooks, versions 3 and 4 of their format: text and code in the order of the cells.

Code stands in fences that name the language of the kernel. A long cell has a fence for each of its definitions, so that
it is cut between them. Of what a cell printed the head is kept, and pictures are left out. Lines are those of
that text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from embassay import jsontext
from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.decode import with_line_ends
from embassay.ingest.embedded_data import without_embedded_data, without_terminal_codes
from embassay.ingest.held import letters
from embassay.ingest.html_text import extract
from embassay.ingest.outline import definitions
from embassay.ingest.readers._markdown import as_blocks, as_code, as_heading
from embassay.types import Metadata

SUFFIXES = frozenset({".ipynb"})
MAX_OUTPUT = 1_000
"""Characters of one output that are kept: what a program prints is endless, what it found stands at its head."""
LONG_CELL = 1_000
"""Characters from which on a cell of code has a fence for each definition."""
DEFAULT_LANGUAGE = "python"
_OVERWRITTEN = re.compile(r"[^\r\n]*+\r(?=[^\r\n])")
"""What a progress bar was before."""
WIDGET = "application/vnd.jupyter.widget"
_OBJECT = re.compile(r"\s*<[\w.]+(?: [^<>]*)?>\s*")
"""What Python says of an object that has no words of its own, as ``<Figure size 640x480 with 1 Axes>``."""
_FORMS = {"text/markdown": "markdown", "text/plain": "text", "text/html": "html", "text/latex": "latex"}
"""Forms of one output, the first of which is taken, and what version 3 calls them."""


def read(source: SourceFile) -> Iterator[Document]:
    try:
        notebook = jsontext.loads(source.text())
    except ValueError as error:
        raise ReadError(f"not a readable notebook: {error}") from error
    cells = _cells(notebook)
    if cells is None:
        raise ReadError("not a notebook: it has no cells")
    language = _language(notebook)
    parts = [part for cell in cells for part in _cell(cell, language)]
    metadata: Metadata = {"kernel": language} if any(cell.get("cell_type") == "code" for cell in cells) else {}
    about = notebook.get("metadata")
    title = about.get("title") if isinstance(about, dict) else ""
    yield Document(
        source.id,
        source.id,
        without_embedded_data(as_blocks(parts)),
        "markdown",
        title=title if isinstance(title, str) else "",
        metadata=metadata,
    )


def holds(source: SourceFile) -> int | None:
    """The letters of the cells alone: outputs are shortened on purpose, and pictures left out."""
    try:
        cells = _cells(jsontext.loads(source.text())) or []
    except ValueError:
        return None
    return sum(letters(without_embedded_data(_joined(cell.get("source", cell.get("input"))))) for cell in cells)


def _cells(notebook: Any) -> list[dict[str, Any]] | None:
    """The cells in order; None for what is no notebook."""
    if not isinstance(notebook, dict):
        return None
    sheets = [notebook] if isinstance(notebook.get("cells"), list) else notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
    return [cell for cells in found for cell in cells if isinstance(cell, dict)]


def _language(notebook: Mapping[str, Any]) -> str:
    """The language of the kernel, as the first place that names it does."""
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for place, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        named = metadata.get(place)
        language = named.get(key) if isinstance(named, dict) else None
        if isinstance(language, str) and language.strip():
            return re.sub(r"[^\w+#-]|\d+$", "", language.strip().lower())[:30] or DEFAULT_LANGUAGE
    return DEFAULT_LANGUAGE


def _cell(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    text = _joined(cell.get("source", cell.get("input")))  # "input" in version 3
    match cell.get("cell_type"):
        case "code":
            own = cell.get("language")
            yield from _code(text, own if isinstance(own, str) else language)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else ():
                said = _output(output) if isinstance(output, dict) else ""
                if said:
                    yield said
        case "heading":
            level = cell.get("level")
            yield as_heading(level if isinstance(level, int) else 1, text)
        case _:
            yield text


def _code(text: str, language: str) -> Iterator[str]:
    """The fences of a cell of code, one behind the other."""
    starts = [0]
    if len(text) > LONG_CELL:
        starts += [h.at for h in definitions(text, language) or () if h.level == 1 and h.at > 0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if text[start:end].strip():
            yield as_code(text[start:end], language)


def _output(output: Mapping[str, Any]) -> str:
    """What a person reads of an output; nothing of a picture or an object without words."""
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        return as_code(f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"[:MAX_OUTPUT], "output")
    if kind == "stream":
        form, text = "text/plain", _joined(output.get("text"), printed=True)
    else:
        form, text = _richest(output)
    if form == "text/html" or (form == "text/markdown" and text.lstrip().startswith("<")):
        text = "\n".join(extract(text)[1].text)
    text = without_terminal_codes(text).strip("\n")
    if not text.strip() or _OBJECT.fullmatch(text):
        return ""
    short = text if len(text) <= MAX_OUTPUT else text[:MAX_OUTPUT].rsplit(None, 1)[0] + " ..."
    return short if form == "text/markdown" else as_code(short, "output")


def _richest(output: Mapping[str, Any]) -> tuple[str, str]:
    """The form of an output that says most, and its text."""
    data = output.get("data")
    forms: Mapping[str, Any] = data if isinstance(data, dict) else output
    if any(form.startswith(WIDGET) for form in forms):  # beside it stands how Python would build it
        return "", ""
    for form, old in _FORMS.items():
        text = _joined(forms.get(form, forms.get(old)))
        if text.strip() and not _OBJECT.fullmatch(text):
            return form, text
    return "", ""


def _joined(lines: object, *, printed: bool = False) -> str:
    """A text, which notebooks keep whole or as a list of its lines; of one that was `printed`, what it came to."""
    if isinstance(lines, list):
        lines = "".join(line for line in lines if isinstance(line, str))
    if printed and isinstance(lines, str) and "\r" in lines:
        lines = _OVERWRITTEN.sub("", lines)
    return with_line_ends(lines) if isinstance(lines, str) else ""
