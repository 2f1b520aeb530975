"""Tables and columns that the schema of `state.db` makes: of migrations, the history, and what sets keep."""

CREATE = """
CREATE TABLE migrations (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    origin INTEGER NOT NULL,
    generation INTEGER NOT NULL UNIQUE REFERENCES generations (id),
    state TEXT NOT NULL,
    resumes TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    options TEXT NOT NULL DEFAULT '{}',
    report TEXT NOT NULL DEFAULT '{}',
    created REAL NOT NULL,
    updated REAL NOT NULL
);
CREATE INDEX migrations_of_set ON migrations (set_name, id);
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    happened REAL NOT NULL,
    what TEXT NOT NULL,
    build INTEGER NOT NULL,
    version TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX history_of_set ON history (set_name, id);
ALTER TABLE sets ADD COLUMN keep_until REAL NOT NULL DEFAULT 0
"""
"""`origin` and `build` are ids of generations, which may be gone: rows of the history outlive what they tell of."""

FUSIONS = (
    "CREATE TABLE fusions (set_name TEXT PRIMARY KEY, fusion TEXT NOT NULL, space TEXT NOT NULL, "
    "detail TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID"
)
"""Of sets whose searches join their arms in a way of their own; `space`: the digest of the space it was fitted in."""
TITLES = "CREATE TABLE titles (set_name TEXT PRIMARY KEY, title TEXT NOT NULL) WITHOUT ROWID"
"""Of sets that people know by another name than commands do."""
RULES = "ALTER TABLE sets ADD COLUMN auto_embed TEXT"
"""A JSON array of rules; NULL for a set that was not told when to embed, which does so at once."""
RETRY_AT = "ALTER TABLE migrations ADD COLUMN retry_at REAL"
"""Seconds since 1970 from when on a paused one can go on; NULL where nobody said."""
PROGRESS = "ALTER TABLE migrations ADD COLUMN progress TEXT NOT NULL DEFAULT '{}'"
CALIBRATIONS = (
    "CREATE TABLE calibrations (generation INTEGER PRIMARY KEY REFERENCES generations (id), "
    "least REAL NOT NULL, chunks INTEGER NOT NULL)"
)
PROJECTIONS = (
    "CREATE TABLE projections (generation INTEGER PRIMARY KEY REFERENCES generations (id), "
    "dimensions INTEGER NOT NULL, matrix BLOB NOT NULL, normalised INTEGER NOT NULL, seal TEXT NOT NULL)"
)
"""`dimensions`: those of the vectors that the matrix takes, which are its rows; its numbers are float32."""
COARSE = (
    "CREATE TABLE coarse_projections (generation INTEGER NOT NULL REFERENCES generations (id), "
    "coarse INTEGER NOT NULL, dimensions INTEGER NOT NULL, matrix BLOB NOT NULL, normalised INTEGER NOT NULL, "
    "seal TEXT NOT NULL, PRIMARY KEY (generation, coarse))"
)
"""`coarse`: the dimensions of the coarse vectors; the others are those of `projections`."""
