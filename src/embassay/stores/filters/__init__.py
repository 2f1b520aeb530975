"""Filters: one small typed expression over the path, section, document and metadata of a chunk.

    path ~ "docs/*.md" and year >= 2024 and not lang in ("de", "fr")

`values` has the expression as a value, `parser` reads one from text, and `meaning` says which chunks pass; backends
compile the same values to their own language.
"""
