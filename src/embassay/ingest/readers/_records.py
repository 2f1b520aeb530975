"""What CSV and JSONL share: which field of a record is its id, title, text, and which are metadata."""

from __future__ import annotations

from collections.abc import Mapping

from embassay.ingest.base import Document, SourceFile

IDS = ("_id", "id", "uid", "uuid", "key")
TITLES = ("title", "name", "headline", "subject")
TEXTS = ("text", "body", "content", "contents", "abstract", "description", "summary")


def document(source: SourceFile, record: Mapping[str, object], line: int) -> Document:
    """A record as a document. Without a text field, its string fields are the text, as ``field: value`` lines."""
    record = {k: v for k, v in record.items() if k and str(k).strip()}  # pandas writes its row numbers without a name
    fields = {str(k).lower(): k for k in record}
    identity = _first(record, fields, IDS)
    title = _first(record, fields, TITLES)
    text = _first(record, fields, TEXTS)
    named = {fields[n] for n in (*IDS, *TITLES, *TEXTS) if n in fields}
    rest = {str(k): v for k, v in record.items() if k not in named and isinstance(v, (str, int, float, bool))}
    if not text:
        text = "\n".join(f"{k}: {v}" for k, v in rest.items() if isinstance(v, str) and v.strip())
    return Document(
        id=f"{source.id}#{identity or line}",
        path=source.id,
        text=text or title,
        title=title if text else "",
        metadata=rest if identity == "" else {"id": identity, **rest},
        source_lines=(line,),
    )


def _first(record: Mapping[str, object], fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        value = record[fields[name]] if name in fields else None
        if isinstance(value, (str, int, float)) and str(value).strip():
            return str(value).strip()
    return ""
