"""The tables of monitoring, as the schema of `state.db` has them."""

CREATE = """
CREATE TABLE marks (
    seq INTEGER PRIMARY KEY,
    asked REAL NOT NULL,
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    query INTEGER NOT NULL,
    took_ms REAL NOT NULL,
    hits INTEGER NOT NULL,
    dense REAL,
    words REAL,
    terms INTEGER NOT NULL DEFAULT 0,
    other_dense REAL,
    other_words REAL,
    first_click INTEGER NOT NULL DEFAULT 0,
    satisfied INTEGER NOT NULL DEFAULT 0,
    feedback INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX marks_of_set ON marks (set_name, space, asked);
CREATE TABLE query_vectors (
    seq INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX vectors_of_set ON query_vectors (set_name, space, seq);
CREATE TABLE judgments (
    seq INTEGER PRIMARY KEY,
    grade INTEGER CHECK (grade IN (-1, 0, 1, 2)),
    model TEXT NOT NULL DEFAULT '',
    usd REAL NOT NULL DEFAULT 0,
    at REAL NOT NULL
);
CREATE TABLE baselines (
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    made REAL NOT NULL,
    judged TEXT NOT NULL DEFAULT '',
    parts TEXT NOT NULL,
    vectors BLOB NOT NULL,
    PRIMARY KEY (set_name, space)
) WITHOUT ROWID;
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    signal TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('on', 'over', 'false')),
    evidence TEXT NOT NULL,
    remedy TEXT NOT NULL DEFAULT '[]',
    value REAL,
    tolerated_at REAL,
    since REAL NOT NULL,
    seen REAL NOT NULL,
    calm INTEGER NOT NULL DEFAULT 0,
    ended REAL,
    reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alert_that_is_on ON alerts (set_name, space, signal, subject) WHERE state = 'on';
CREATE TABLE alert_notices (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    alert INTEGER NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('opened', 'ended')),
    due REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    fault TEXT NOT NULL DEFAULT '',
    UNIQUE (alert, event)
);
CREATE TABLE tolerances (
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    signal TEXT NOT NULL,
    tolerance REAL NOT NULL,
    PRIMARY KEY (set_name, space, signal)
) WITHOUT ROWID;
CREATE TABLE readings (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    signal TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ok', 'warn', 'alert', 'unknown')),
    value REAL,
    evidence TEXT NOT NULL,
    remedy TEXT NOT NULL DEFAULT '[]',
    figures TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX readings_of_signal ON readings (set_name, signal, at);
CREATE INDEX readings_in_order ON readings (set_name, signal)
"""
"""`marks` has the `seq` of its search in `queries`, and its set and space as that row has them; `query` is equal for
equal queries; `dense` and `words` are the raw scores of the best hits of the vectors and of the words, `other_dense`
and `other_words` those of the best ones in another document than the first hit's. `query_vectors` has float16
numbers.
`judgments` are those of a chat model on searches: no `grade` while it is asked, and -1 where none was to be had.

An alert is on from `since`; `seen` is when it was read last, `calm` the checks in a row since then that found its
signal well, `tolerated_at` the tolerance at which it would not have been raised. `alert_notices` are those that wait to
be sent: not before `due`, and never again where that is NULL. The later a reading was made, the higher its `id`,
whatever the clock said.

`parts` of a baseline is a JSON object with a member for each signal that wrote something of its own; its
`vectors` are rows of float32, those of queries."""

OF_SEARCHES = ("marks", "query_vectors", "judgments")
"""Their rows go with the searches that they are about."""
OF_SETS = ("baselines", "alerts", "alert_notices", "tolerances", "readings")
"""Their rows go with the set."""
