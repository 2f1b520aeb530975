"""Markdown; a YAML front matter becomes metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.embedded_data import without_embedded_data
from embassay.types import Metadata

SUFFIXES = frozenset({".md", ".markdown", ".mdx", ".mkd"})
BOUNDED = True
MAX_FRONT_MATTER = 32_000
"""Characters. PyYAML reads a megabyte in ten seconds; what is longer is text."""
MAX_MERGED = 1_000
"""Pairs that merge keys (``<<``) may bring in: they multiply, a kilobyte of them fills any memory."""
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*\n", re.DOTALL)


def read(source: SourceFile) -> Iterator[Document]:
    text = without_embedded_data(source.text())
    metadata: Metadata = {}
    first = 1
    if front := _FRONT_MATTER.match(text, 0, MAX_FRONT_MATTER):
        parsed = _mapping(front[1])
        if parsed is not None:
            text, first = text[front.end() :], 1 + front[0].count("\n")
            metadata = {name: value for name, value in parsed.items() if value is not None}
    lines = range(first, first + text.count("\n") + 1)
    yield Document(source.id, source.id, text, "markdown", metadata=metadata, source_lines=lines)


def _mapping(front_matter: str) -> Metadata | None:
    import yaml

    try:
        parsed = yaml.load(front_matter, Loader=_loader())
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError):  # PyYAML lets its converters' out
        return None
    return parsed if isinstance(parsed, dict) else None


@cache
def _loader() -> Any:
    """PyYAML's safe one, with a bound on what merge keys bring in."""
    import yaml

    class Loader(yaml.SafeLoader):
        merged = 0

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            before = len(node.value)
            super().flatten_mapping(node)
            self.merged += max(0, len(node.value) - before)
            if self.merged > MAX_MERGED:
                raise yaml.constructor.ConstructorError(None, None, "merge keys bring in too much", node.start_mark)

    return Loader
