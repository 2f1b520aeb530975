"""Text that can leave Python (as UTF-8, into a tokenizer, a database, a terminal), and words about names."""

from __future__ import annotations

from collections.abc import Iterable


def encodable(text: str) -> str:
    """`text` with pairs of surrogates joined, and lone ones, which have no encoding, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the one of `known` that is most like `name`, or else all of them."""
    import difflib

    known = list(known)
    close = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(sorted(known))}."
