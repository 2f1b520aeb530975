"""What can be asked: the check of a query before anything is done for it."""

from __future__ import annotations

from embassay.arguments import shown
from embassay.errors import QueryError

MAX_QUERY = 100_000
"""Characters. A longer one is a document, not a query."""


def check_query(query: str) -> None:
    """Raises QueryError for what is no text, for a query without words, or one beyond all measure."""
    if not isinstance(query, str):
        raise QueryError(f"the query is {shown(query)}; it must be a string.")
    if not query.replace("\0", "").strip():
        raise QueryError("the query is empty.")
    if len(query) > MAX_QUERY:
        raise QueryError(
            f"the query has {len(query):,} characters, at most {MAX_QUERY:,} are searched.",
            remedy="Ask with the passage that matters.",
        )
