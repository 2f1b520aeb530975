"""The tables of monitoring in `state.db`, as programs see them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embassay import jsontext
from embassay.sets.monitoring import notices
from embassay.sets.monitoring.alerts import Alert, AlertChange, CheckFound, alert_of, alerts_of, apply_check, dismiss
from embassay.sets.monitoring.judgments import SampledJudgments
from embassay.sets.monitoring.marks import KINDS
from embassay.sets.monitoring.readings import ReadingRow, keep_readings, latest_of, readings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from embassay.sets.database import Database
    from embassay.space import Space
    from embassay.types import Vectors

AT_ONCE = 20_000
"""Rows that are read at once, so that a million of them are never objects of Python together."""


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """What was written down as good of one set in one space."""

    set_name: str
    space: str
    made: float
    """Seconds since 1970."""
    judged: str
    """The folder of the judged set that it was made with; empty for one that was made of searches."""
    parts: Mapping[str, Any]
    """What each signal wrote down, by its name."""
    vectors: bytes
    """Rows of float32, of queries."""


class MonitoringTables:
    """Those of one home. Threads may share it, and any number of processes may write the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.judgments = SampledJudgments(database)
        """What a chat model said of searches."""

    def marks(
        self, set_name: str, space: str, since: float, newest: int = -1, until: float = math.inf
    ) -> dict[str, npt.NDArray[Any]]:
        """The marks of the newest searches of a set alone in one space between two moments, oldest first: the columns
        of `KINDS`. All of them where `newest` is negative. Raises HomeError."""
        import numpy as np

        of, kinds = "FROM marks WHERE set_name = ? AND space = ? AND asked BETWEEN ? AND ?", np.dtype([*KINDS.items()])
        wanted = set_name, space, since, until
        with self._database.reading() as db:
            most = newest
            if newest < 0:
                (most,) = db.execute(f"SELECT count(*) {of}", wanted).fetchone()
            columns = {name: np.empty(most, kind) for name, kind in KINDS.items()}
            statement = f"SELECT {', '.join(KINDS)} {of} ORDER BY asked DESC, seq DESC LIMIT ?"
            found, first = db.execute(statement, (*wanted, most)), most
            while rows := found.fetchmany(AT_ONCE):
                try:
                    part = np.array(rows[::-1], kinds)
                except (ValueError, TypeError, OverflowError) as error:
                    raise self._database.corrupt(error) from error
                for name, column in columns.items():
                    column[first - len(part) : first] = part[name]
                first -= len(part)
        return {name: column[first:] for name, column in columns.items()}

    def searches_by_space(self, set_name: str, since: float) -> dict[str, int]:
        """How many searches of a set alone are marked since a moment, by the digest of the space. Raises HomeError."""
        statement = "SELECT space, count(*) FROM marks WHERE set_name = ? AND asked >= ? GROUP BY space"
        with self._database.reading() as db:
            return dict(db.execute(statement, (set_name, since)).fetchall())

    def vectors(
        self, set_name: str, space: Space, first: int, last: int | None = None
    ) -> tuple[npt.NDArray[np.int64], Vectors]:
        """Vectors of the queries of a set that are kept, from the search `first` on, and up to `last` where there is
        one: their `seq`, and rows (n, dimensions). Raises HomeError."""
        import numpy as np

        of = "set_name = ? AND space = ? AND seq BETWEEN ? AND ?"
        statement = f"SELECT seq, vector FROM query_vectors WHERE {of} ORDER BY seq"
        between = first, (1 << 62) if last is None else last
        with self._database.reading() as db:
            rows = db.execute(statement, (set_name, space.digest, *between)).fetchall()
        size = 2 * space.dimensions
        whole = [(seq, blob) for seq, blob in rows if isinstance(blob, bytes) and len(blob) == size]
        matrix = np.frombuffer(b"".join(blob for _, blob in whole), np.float16).reshape(len(whole), space.dimensions)
        return np.array([seq for seq, _ in whole], np.int64), matrix.astype(np.float32)

    def baseline(self, set_name: str, space: str) -> BaselineRow | None:
        """What was written down last of a set in a space. Raises HomeError."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT set_name, space, made, judged, parts, vectors FROM baselines WHERE set_name = ? AND space = ?",
                (set_name, space),
            ).fetchone()
        if row is None:
            return None
        try:
            of_set, of_space, made, judged, parts, vectors = row
            return BaselineRow(of_set, of_space, made, judged, jsontext.loads(parts), bytes(vectors))
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error

    def baseline_spaces(self, set_name: str) -> Sequence[str]:
        """Digests of the spaces in which a set has one. Raises HomeError."""
        with self._database.reading() as db:
            rows = db.execute("SELECT space FROM baselines WHERE set_name = ? ORDER BY made", (set_name,)).fetchall()
        return [space for (space,) in rows]

    def keep_baseline(self, row: BaselineRow) -> None:
        """Write down what is good, in the place of what was. Raises HomeError."""
        values = (row.set_name, row.space, row.made, row.judged, jsontext.dumps(row.parts), row.vectors)
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?)", values)
            db.execute("DELETE FROM tolerances WHERE set_name = ? AND space = ?", (row.set_name, row.space))

    def keep_check(self, check: CheckFound, *, notify: bool = False) -> Sequence[AlertChange]:
        """Write down what a check found: readings, and alerts. Those that it opens and ends are returned; with `notify`
        somebody has to be told of them. Raises HomeError."""
        with self._database.writing() as db:
            keep_readings(db, check)
            return apply_check(db, self._database, check, notify=notify)

    def alerts(self, set_name: str | None = None, *, on: bool = True, limit: int | None = None) -> Sequence[Alert]:
        """Alerts of a set, or of all, those that are on and the newest first; `on`: no others. Raises HomeError."""
        return alerts_of(self._database, set_name, on=on, limit=limit)

    def alert(self, identity: int) -> Alert:
        """The alert of this id. Raises UsageError where there is none, HomeError."""
        return alert_of(self._database, identity)

    def dismiss(self, identity: int, at: float, why: str, tolerance: float, *, notify: bool = False) -> Alert:
        """End an alert that was false, and have its signal tolerate that much from now on.

        Raises UsageError where it is not on, HomeError.
        """
        return dismiss(self._database, identity, at, why, tolerance, notify=notify)

    def take_notice(self, now: float) -> notices.Notice | None:
        """The next alert that somebody has to be told of, which nobody else takes for a while. Raises HomeError."""
        notices.bound_waiting(self._database)
        return notices.take_due(self._database, now)

    def notice_sent(self, notice: notices.Notice) -> None:
        """It has arrived. Raises HomeError."""
        notices.sent(self._database, notice)

    def notice_failed(self, notice: notices.Notice, fault: str, now: float, *, for_good: bool = False) -> bool:
        """It has not; whether it is given up. Raises HomeError."""
        return notices.failed(self._database, notice, fault, now, for_good=for_good)

    def notices_waiting(self) -> Sequence[tuple[int, str, float | None, int, str]]:
        """(alert, event, due, tries, fault) of those that have not arrived. Raises HomeError."""
        return notices.waiting(self._database)

    def standing(self, set_name: str, space: str) -> tuple[int, int, float]:
        """Something else whenever there is something new to read of a set: the last search of the home, how much
        feedback there is, and when the baseline was made. Raises HomeError."""
        statement = (
            "SELECT (SELECT ifnull(max(seq), 0) FROM marks), (SELECT count(*) FROM feedback), "
            "ifnull((SELECT made FROM baselines WHERE set_name = ? AND space = ?), 0)"
        )
        with self._database.reading() as db:
            search, feedback, made = db.execute(statement, (set_name, space)).fetchone()
        return int(search), int(feedback), float(made)

    def tolerances(self, set_name: str, space: str) -> Mapping[str, float]:
        """How much signals tolerate of a set in a space, by their names, where that is not 1. Raises HomeError."""
        statement = "SELECT signal, tolerance FROM tolerances WHERE set_name = ? AND space = ?"
        with self._database.reading() as db:
            return {str(signal): float(value) for signal, value in db.execute(statement, (set_name, space))}

    def readings(
        self, set_name: str, signal: str | None = None, since: float = 0.0, *, space: str | None = None
    ) -> Sequence[ReadingRow]:
        """What signals said of a set since a moment (seconds since 1970), the oldest first. Raises HomeError."""
        return readings_of(self._database, set_name, signal, since, space)

    def latest(
        self, set_name: str | None = None, space: str | None = None, *, limit: int | None = None
    ) -> Sequence[ReadingRow]:
        """What the last check of each signal of a set, or of all, found, in one space where that is named. Raises
        HomeError."""
        return latest_of(self._database, set_name, space, limit)
