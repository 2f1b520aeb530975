"""What monitoring said last of every set, for whoever shows all of a home at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embassay import jsontext

MOST = 10_000
"""Readings, and alerts, that are read at once."""


@dataclass(frozen=True, slots=True)
class NewestReading:
    """What a signal said of a set when it was read last."""

    set_name: str
    signal: str
    subject: str
    at: float
    """Seconds since 1970."""
    state: str
    """``ok``, ``warn``, ``alert`` or ``unknown``."""
    value: float | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertOn:
    """An alert that is on."""

    set_name: str
    signal: str
    subject: str
    since: float
    """Seconds since 1970."""


_NEWEST = """
WITH RECURSIVE names (name) AS (
    SELECT MIN(set_name) FROM readings
    UNION ALL
    SELECT (SELECT MIN(set_name) FROM readings WHERE set_name > name) FROM names WHERE name IS NOT NULL
),
pairs (name, of) AS (
    SELECT name, (SELECT MIN(signal) FROM readings WHERE set_name = name) FROM names WHERE name IS NOT NULL
    UNION ALL
    SELECT name, (SELECT MIN(signal) FROM readings WHERE set_name = name AND signal > of)
    FROM pairs WHERE of IS NOT NULL
)
SELECT set_name, signal, subject, at, state, value, figures FROM pairs JOIN readings
ON set_name = name AND signal = of AND at = (
    SELECT at FROM readings WHERE set_name = name AND signal = of ORDER BY id DESC LIMIT 1
)
LIMIT ?
"""
"""The index is stepped through, from one set and signal to the next: all that was ever read is not looked at. Newest is
what was written last: a clock may go back."""
_ON = (
    "SELECT set_name, signal, subject, since FROM alerts WHERE state = 'on' ORDER BY set_name, signal, subject LIMIT ?"
)


def newest_readings(db: sqlite3.Connection) -> Sequence[NewestReading]:
    """Of every set and signal, those of the last time."""
    return [
        NewestReading(name, signal, subject, at, state, value, jsontext.loads(figures))
        for name, signal, subject, at, state, value, figures in db.execute(_NEWEST, (MOST,))
    ]


def alerts_on(db: sqlite3.Connection) -> Sequence[AlertOn]:
    """The alerts of every set that are on."""
    return [AlertOn(*row) for row in db.execute(_ON, (MOST,))]
