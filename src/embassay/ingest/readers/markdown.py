"""Markdown; the scalars of a YAML front matter become metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TypeGuard

from embassay.ingest.base import Document, SourceFile
from embassay.types import Metadata

SUFFIXES = frozenset({".md", ".markdown", ".mdx", ".mkd"})
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*\n", re.DOTALL)


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    metadata: Metadata = {}
    first = 1
    if front := _FRONT_MATTER.match(text):
        parsed = _mapping(front[1])
        if parsed is not None:
            text, first = text[front.end() :], 1 + front[0].count("\n")
            metadata = _scalars(parsed)
    lines = range(first, first + text.count("\n") + 1)
    yield Document(source.id, source.id, text, "markdown", metadata=metadata, source_lines=lines)


def _mapping(front_matter: str) -> dict[object, object] | None:
    import yaml

    try:
        parsed = yaml.safe_load(front_matter)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError):  # PyYAML lets its converters' out
        return None
    return parsed if isinstance(parsed, dict) else None


def _scalars(parsed: dict[object, object]) -> Metadata:
    return {
        str(key): value if isinstance(value, (str, int, bool)) or _finite(value) else str(value)
        for key, value in parsed.items()
        if value is not None and not isinstance(value, (dict, list))
    }


def _finite(value: object) -> TypeGuard[float]:
    return isinstance(value, float) and math.isfinite(value)
