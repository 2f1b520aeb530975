"""The text of charts and diagrams (ECMA-376, part 1, section 21)."""

from __future__ import annotations

from embassay.ingest.readers._xml import Element

MAX_VALUES = 1_000
"""Paragraphs and names that are said of a chart or diagram; its numbers are not text."""


def shown(root: Element) -> list[str]:
    """The paragraphs of a chart or diagram, then the names of its categories and series, each once."""
    paragraphs = ("".join(text.text or "" for text in each.iter("{*}t")).strip() for each in root.iter("{*}p"))
    names = (name.text or "" for cache in root.iter("{*}strCache") for name in cache.iter("{*}v"))
    said = dict.fromkeys([*filter(None, paragraphs), *(name.strip() for name in names if name.strip())][:MAX_VALUES])
    return ["\n".join(said)] if said else []
