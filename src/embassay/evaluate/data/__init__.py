"""Judged data: queries, documents, and which documents answer which query."""
