"""The table of trials, as the schema of `state.db` has it."""

CREATE = """
CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    terms TEXT NOT NULL,
    keep_days REAL NOT NULL,
    findings TEXT NOT NULL DEFAULT '[]',
    started REAL NOT NULL,
    ends REAL NOT NULL,
    updated REAL NOT NULL
);
CREATE UNIQUE INDEX open_trial_of_set ON trials (set_name) WHERE state IN ('running', 'undecided')
"""
"""`generation` is on trial against `baseline`; both are ids of generations. A set has one open trial at most."""
