"""What the fields of a record are called where nobody says it, the likeliest name first."""

from __future__ import annotations

IDS = ("_id", "id", "uid", "uuid", "key")
TITLES = ("title", "name", "headline", "subject")
TEXTS = (
    *("text", "body", "content", "contents", "abstract", "description", "summary"),
    *("passage", "paragraph", "page_content", "answer"),
)
