"""What is written onto the pages of a PDF: the answers in a form, text boxes and remarks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PageObject

REMARKS = frozenset({"/FreeText", "/Text", "/Highlight", "/Underline", "/StrikeOut", "/Squiggly", "/Caret", "/Stamp"})
MAX_PARENTS = 20
"""Fields above a field."""


def written_on(page: PageObject) -> list[str]:
    """Lines: of a field that was filled in its name and its value, of a remark its text."""
    listed = page.get("/Annots")
    listed = listed.get_object() if listed is not None else ()
    return [line for entry in listed or () for line in _lines(entry.get_object())]


def _lines(annotation: Any) -> Iterator[str]:
    if not hasattr(annotation, "get"):
        return
    kind = annotation.get("/Subtype")
    if kind == "/Widget":
        value = _text(_inherited(annotation, "/V"))
        if value and _inherited(annotation, "/FT") in ("/Tx", "/Ch"):
            name = _text(_inherited(annotation, "/TU")) or _text(_inherited(annotation, "/T"))
            yield f"{name}: {value}" if name else value
    elif kind in REMARKS and (text := _text(annotation.get("/Contents"))):
        yield text


def _inherited(field: Any, key: str) -> Any:
    """The value of a field, or of the fields that it is a part of."""
    for _ in range(MAX_PARENTS):
        value = field.get(key)
        if value is not None:
            return value.get_object()
        parent = field.get("/Parent")
        if parent is None or not hasattr(parent := parent.get_object(), "get"):
            return None
        field = parent
    return None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    text = value if isinstance(value, str) else ""
    return "\n".join(line for each in text.replace("\r", "\n").split("\n") if (line := each.strip()))
