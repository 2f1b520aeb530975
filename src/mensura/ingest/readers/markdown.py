"""Markdown; the scalars of a YAML front matter become metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mensura.ingest.base import Document, Source
from mensura.types import Metadata

SUFFIXES = frozenset({".md", ".markdown", ".mdx", ".mkd"})
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*\n", re.DOTALL)


def read(source: Source) -> Iterator[Document]:
    text = source.text()
    metadata: Metadata = {}
    if front := _FRONT_MATTER.match(text):
        metadata = _scalars(front[1])
        if metadata:
            text = text[front.end() :]
    first = 1 + (front[0].count("\n") if metadata and front else 0)
    lines = range(first, first + text.count("\n") + 1)
    yield Document(source.id, source.id, text, "markdown", metadata=metadata, source_lines=lines)


def _scalars(front_matter: str) -> Metadata:
    import yaml

    try:
        parsed = yaml.safe_load(front_matter)
    except yaml.YAMLError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    return {
        str(key): value if isinstance(value, (str, int, float, bool)) else str(value)
        for key, value in parsed.items()
        if value is not None and not isinstance(value, (dict, list))
    }
