"""The table of views in `state.db`, as a step of `embassay.sets.schema` makes it."""

from __future__ import annotations

CREATE = """
CREATE TABLE views (
    name TEXT PRIMARY KEY,
    set_name TEXT NOT NULL,
    filter TEXT NOT NULL,
    created TEXT NOT NULL,
    chosen INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID
"""
"""`set_name`: the parent. Columns of this name follow where a set is renamed."""
