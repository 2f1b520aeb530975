"""What was spent, and what is reserved for requests that are under way: the book that all processes of a home share.

A request is written down before it is sent, with the most that it may cost, and settled when it is answered. Where its
process ends in between, nobody can tell whether it was served: it counts as spent, and as lost. Texts stand there as
digests, and only while they are under way or lost, so that those which are sent again are told as repeated. Sums are
kept for each run, model and role of a day (UTC); those of old days are folded together.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from embassay import jsontext
from embassay.embedders.wrap.budget import Order, Paid, Period
from embassay.embedders.wrap.payers import Payers
from embassay.models.ledger_file import LEDGER
from embassay.models.owner import is_gone, this_process
from embassay.shared_file import SharedFile

SWEEP_SECONDS = 30.0
"""How often a process looks for reservations of processes that have ended."""
KEPT_DAYS, MOST_ENTRIES = 92, 20_000
"""Older days, and the oldest entries beyond so many, keep one entry for each purpose, model and role."""
MOST_LOST = 1000
"""Lost requests whose texts are remembered."""
_SUMS = ("requests", "texts", "tokens", "usd", "reported_usd", "lost", "lost_usd", "repeated", "repeated_usd")


@dataclass(frozen=True, slots=True)
class Payer:
    """Who spends."""

    run: str
    """One run of a program, with the processes that it starts."""
    purpose: str
    """What for: a command such as ``index``, or ``python``."""


def new_payer(purpose: str = "python") -> Payer:
    """A run of its own."""
    return Payer(secrets.token_hex(8), purpose)


@dataclass(frozen=True, slots=True)
class Term:
    """The time over which money is counted."""

    run: str = ""
    """Only this run."""
    since: str = ""
    """Only days from this one on, as ``2026-11-01``."""

    @classmethod
    def of(cls, period: Period, run: str, now: float) -> Term:
        """The term of a cap: one run, or the day or month (UTC) of the moment `now`."""
        if period == "run":
            return cls(run=run)
        return cls(since=day_of(now) if period == "day" else day_of(now)[:8] + "01")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one run, or the runs of a purpose, took of one model in one role."""

    purpose: str
    model: str
    role: str
    requests: int
    texts: int
    tokens: int
    usd: float
    """As it counts against a cap."""
    reported_usd: float
    """What the service says of it."""
    lost: int
    lost_usd: float
    """Requests to which no answer came, which may be billed: part of what counts."""
    repeated: int
    repeated_usd: float
    """Texts that were sent again because a lost request had held them, and their share of what counts."""


class Ledger:
    """One ledger. Threads may share it."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = SharedFile(path, LEDGER)
        self._clock = clock
        self._swept = 0.0
        self._lost: dict[bytes, int] = {}
        """Digests of texts in lost requests, and the request that held each."""

    def reserve(self, payer: Payer, order: Order, term: Term, cap: float | None, payers: Payers = ()) -> int | None:
        """Write down a request before it is sent; its key. None where `cap` leaves no room. Raises LedgerError.

        `payers`: who shares what it costs; by default it is for the purpose of `payer`.
        """
        now = self._clock()
        with self.file.writing() as db:
            if now - self._swept > SWEEP_SECONDS:
                self._sweep(db, now)
            if cap is not None and _used(db, term) + order.usd > cap:
                return None
            repeated = self._repeated(db, order.marks) if self._lost else 0
            made = db.execute(
                "INSERT INTO flights (at, day, run, purpose, model, role, owner, texts, usd, marks, repeated, payers) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (now, day_of(now), payer.run, payer.purpose, order.model, order.role, this_process(), order.texts,
                 order.usd, b"".join(order.marks), repeated, jsontext.dumps(payers) if payers else ""),
            )  # fmt: skip
            return made.lastrowid

    def settle(self, key: int, paid: Paid) -> None:
        """Count what a request cost in place of what was reserved for it. Raises LedgerError."""
        with self.file.writing() as db:
            row = db.execute(
                "SELECT day, run, purpose, model, role, payers, texts, usd, repeated, lost FROM flights WHERE id = ?",
                (key,),
            ).fetchone()
            if row is None:
                return
            *whose, payers, texts, held, repeated, lost = row
            usd, lost_usd = paid.usd, paid.usd if paid.lost else 0.0
            if lost:  # it was given up too early
                usd, lost_usd = usd - held, lost_usd - held
            db.execute("DELETE FROM flights WHERE id = ?", (key,))
            share = paid.usd * repeated / max(1, texts)
            sums = (0 if lost else 1, 0 if lost else texts, paid.tokens, usd, paid.reported or 0.0,
                    int(paid.lost) - lost, lost_usd, repeated, share)  # fmt: skip
            _share(db, whose, payers, self._clock(), sums)

    def used(self, term: Term) -> tuple[float, float]:
        """USD that were spent in `term`, and those that are reserved. Raises LedgerError."""
        if not self.file.is_there:
            return 0.0, 0.0
        with self.file.reading() as db:
            return _spent(db, term), _reserved(db, term)

    def sweep(self) -> None:
        """Count the requests of processes that have ended as lost. Raises LedgerError."""
        if self.file.is_there:
            with self.file.writing() as db:
                self._sweep(db, self._clock())

    def entries(self, term: Term) -> list[Entry]:
        """What was spent in `term`, by purpose, model and role, the dearest first. Raises LedgerError."""
        if not self.file.is_there:
            return []
        where, value = _where(term)
        sums = ", ".join(f"sum({name})" for name in _SUMS)
        with self.file.reading() as db:
            rows = db.execute(
                f"SELECT purpose, model, role, {sums} FROM entries WHERE {where} "
                "GROUP BY purpose, model, role ORDER BY sum(usd) DESC, purpose, model, role",
                (value,),
            )
            return [Entry(*row) for row in rows]

    def now(self) -> float:
        """Seconds since 1970, as this ledger counts them."""
        return self._clock()

    def close(self) -> None:
        """Close the file. It is opened again when it is next used."""
        self.file.close()

    def _sweep(self, db: sqlite3.Connection, now: float) -> None:
        """Count what processes left behind as lost, remember their texts, and fold what is old."""
        self._swept = now
        rows = db.execute(
            "SELECT id, owner, at, day, run, purpose, model, role, payers, texts, usd FROM flights WHERE lost = 0"
        ).fetchall()
        for key, owner, at, *whose, payers, texts, usd in rows:
            if owner != this_process() and is_gone(owner, now - at):
                _share(db, whose, payers, now, (1, texts, 0, usd, 0.0, 1, usd, 0, 0.0))
                db.execute("UPDATE flights SET lost = 1 WHERE id = ?", (key,))
        oldest = "SELECT id FROM flights WHERE lost = 1 ORDER BY id DESC LIMIT -1 OFFSET ?"
        db.execute(
            f"DELETE FROM flights WHERE lost = 1 AND (at < ? OR id IN ({oldest}))", (now - 31 * 86400, MOST_LOST)
        )
        self._lost = {
            mark: key
            for key, marks in db.execute("SELECT id, marks FROM flights WHERE lost = 1")
            for mark in _split(marks)
        }
        _fold(db, now)

    def _repeated(self, db: sqlite3.Connection, marks: Sequence[bytes]) -> int:
        """How many of these texts a lost request held; each is told once."""
        found: dict[int, set[bytes]] = {}
        for mark in marks:
            if (key := self._lost.pop(mark, None)) is not None:
                found.setdefault(key, set()).add(mark)
        told = 0
        for key, known in found.items():
            row = db.execute("SELECT marks FROM flights WHERE id = ?", (key,)).fetchone()
            kept = _split(row[0]) if row else []
            rest = [mark for mark in kept if mark not in known]
            told += len(kept) - len(rest)
            db.execute("UPDATE flights SET marks = ? WHERE id = ?", (b"".join(rest), key))
        return told


def day_of(moment: float) -> str:
    """The day (UTC) of a moment in seconds since 1970, as ``2026-11-26``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def end_of(period: Period, now: float) -> float | None:
    """When the day or month (UTC) of the moment `now` is over, in seconds since 1970; None for a run."""
    if period == "run":
        return None
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    after = day + timedelta(days=1) if period == "day" else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return after.timestamp()


def _used(db: sqlite3.Connection, term: Term) -> float:
    return _spent(db, term) + _reserved(db, term)


def _spent(db: sqlite3.Connection, term: Term) -> float:
    where, value = _where(term)
    table = "entries" if term.run else "days"
    return float(db.execute(f"SELECT coalesce(sum(usd), 0) FROM {table} WHERE {where}", (value,)).fetchone()[0])


def _reserved(db: sqlite3.Connection, term: Term) -> float:
    where, value = _where(term)
    query = f"SELECT coalesce(sum(usd), 0) FROM flights WHERE lost = 0 AND {where}"
    return float(db.execute(query, (value,)).fetchone()[0])


def _where(term: Term) -> tuple[str, str]:
    return ("run = ?", term.run) if term.run else ("day >= ?", term.since)


def _share(db: sqlite3.Connection, whose: Sequence[str], payers: str, now: float, sums: Sequence[float]) -> None:
    """Add to the entries of all who pay. Whole numbers are shared so that they add up again."""
    day, run, purpose, *what = whose
    so_far, given = 0.0, [0] * len(sums)
    for payer, share in jsontext.loads(payers) if payers else [("", 1.0)]:
        so_far += share
        due = [round(value * so_far) for value in sums]
        part = [
            new - old if isinstance(all_, int) else all_ * share
            for all_, new, old in zip(sums, due, given, strict=True)
        ]
        _add(db, (day, run, payer or purpose, *what), now, part)
        given = due


def _add(db: sqlite3.Connection, whose: Sequence[str], now: float, sums: Sequence[float]) -> None:
    """Add to the entry of (day, run, purpose, model, role), and to the sum of the day."""
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
    db.execute(
        f"INSERT INTO entries (day, run, purpose, model, role, first, last, {', '.join(_SUMS)}) "
        f"VALUES ({', '.join('?' * (7 + len(_SUMS)))}) ON CONFLICT DO UPDATE SET last = excluded.last, {more}",
        (*whose, now, now, *sums),
    )
    usd = sums[_SUMS.index("usd")]
    db.execute("INSERT INTO days VALUES (?, ?) ON CONFLICT DO UPDATE SET usd = usd + excluded.usd", (whose[0], usd))


def _fold(db: sqlite3.Connection, now: float) -> None:
    """Forget the runs of old days: their sums stay."""
    until = (datetime.fromtimestamp(now, UTC) - timedelta(days=KEPT_DAYS)).strftime("%Y-%m-%d")
    (count,) = db.execute("SELECT count(*) FROM entries").fetchone()
    if count > MOST_ENTRIES:
        until = day_of(now)
    sums = ", ".join(_SUMS)
    summed = ", ".join(f"sum({name})" for name in _SUMS)
    old = db.execute("SELECT count(*) FROM entries WHERE day < ? AND run != ''", (until,)).fetchone()[0]
    if old:
        rows = db.execute(
            f"SELECT day, '', purpose, model, role, min(first), max(last), {summed} FROM entries WHERE day < ? "
            "GROUP BY day, purpose, model, role",
            (until,),
        ).fetchall()
        db.execute("DELETE FROM entries WHERE day < ?", (until,))
        db.executemany(
            f"INSERT INTO entries (day, run, purpose, model, role, first, last, {sums}) "
            f"VALUES ({', '.join('?' * (7 + len(_SUMS)))})",
            rows,
        )


def _split(marks: bytes) -> list[bytes]:
    from embassay.embedders.http.purse import MARK_BYTES

    return [marks[at : at + MARK_BYTES] for at in range(0, len(marks), MARK_BYTES)]
