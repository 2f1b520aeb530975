"""Text that can leave Python: as UTF-8, into a tokenizer, a database, a terminal."""

from __future__ import annotations


def encodable(text: str) -> str:
    """`text` with pairs of surrogates joined, and lone ones, which have no encoding, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
