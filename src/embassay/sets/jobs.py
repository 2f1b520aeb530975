"""Work on generations that takes a while: who does it, whether it is still alive, and how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from embassay import jsontext
from embassay.errors import HomeError
from embassay.models.owner import is_there, this_process
from embassay.sets.database import Database

BEAT_SECONDS = 5.0
"""How often a running job says that it is alive."""
DEAD_SECONDS = 60.0
"""A running job that has not said so for this long has died with its process."""
KEPT = 20
"""Ended jobs of a generation that are remembered."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work on one generation."""

    id: int
    kind: str
    """``index`` for a run that brings a set up to date."""
    generation: int
    state: str
    """``running``, ``done`` or ``failed``."""
    owner: str
    """Who does it, see `embassay.models.owner`."""
    started: float
    heartbeat: float
    """Seconds since 1970: when it began, and when it last said that it is alive."""
    detail: str = ""
    """The code of the error that it failed with, or the name of one that is not ours. Not the message: that may quote
    a text."""

    def is_alive(self, now: float) -> bool:
        """Whether it runs at the time `now`: by its process on this machine, by its heartbeat on another one.

        Clocks of two machines differ, and one that was put back leaves heartbeats in the future: neither one that is
        long over counts, nor one that is long to come.
        """
        there = is_there(self.owner)
        return self.state == "running" and (abs(now - self.heartbeat) < DEAD_SECONDS if there is None else there)

    @property
    def process(self) -> str:
        """``host:pid`` of who does it."""
        return ":".join(self.owner.split(":")[:2])


_JOB = "id, kind, generation, state, process, started, heartbeat, detail"


class Jobs:
    """The jobs of one home."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def of(self, generation: int) -> list[Job]:
        """Jobs on a generation, the newest first."""
        with self._database.reading() as db:
            rows = db.execute(f"SELECT {_JOB} FROM jobs WHERE generation = ? ORDER BY id DESC", (generation,))
            return [self._database.checked(Job(*row)) for row in rows]

    def newest(self, limit: int, sets: Collection[str] | None = None) -> list[tuple[str, Job]]:
        """The newest jobs of all sets, or of `sets`, each with the name of its set."""
        of_sets = "" if sets is None else "WHERE g.set_name IN (SELECT value FROM json_each(?))"
        values = (limit,) if sets is None else (jsontext.dumps([*sets]), limit)
        columns = ", ".join(f"j.{name}" for name in _JOB.split(", "))
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT g.set_name, {columns} FROM jobs j JOIN generations g ON g.id = j.generation "
                f"JOIN sets s ON s.name = g.set_name {of_sets} "
                "ORDER BY j.id DESC LIMIT ?",
                values,
            )
            return [(str(name), self._database.checked(Job(*row))) for name, *row in rows]

    @contextmanager
    def run(self, kind: str, generation: int, beat_seconds: float = BEAT_SECONDS) -> Iterator[Job]:
        """A job for the time of the block: its heart beats in a thread, and how the block ends is noted."""
        job = self._start(kind, generation)
        ended = threading.Event()
        heart = threading.Thread(target=self._beat, args=(job, ended, beat_seconds), name="heartbeat", daemon=True)
        heart.start()
        try:
            yield job
        except BaseException as error:
            ended.set()
            self._end(job, "failed", getattr(error, "code", type(error).__name__))
            raise
        ended.set()
        self._end(job, "done", "")

    def _start(self, kind: str, generation: int) -> Job:
        now = self._clock()
        with self._database.writing() as db:
            values = (kind, generation, "running", this_process(), now, now)
            made = db.execute(
                "INSERT INTO jobs (kind, generation, state, process, started, heartbeat) VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            assert made.lastrowid is not None
            oldest = "SELECT id FROM jobs WHERE generation = ? ORDER BY id DESC LIMIT -1 OFFSET ?"
            db.execute(f"DELETE FROM jobs WHERE id IN ({oldest})", (generation, KEPT))
            return Job(made.lastrowid, *values)

    def _beat(self, job: Job, ended: threading.Event, seconds: float) -> None:
        while not ended.wait(seconds):
            try:
                with self._database.writing() as db:
                    db.execute("UPDATE jobs SET heartbeat = ? WHERE id = ?", (self._clock(), job.id))
            except HomeError:  # a busy or a full disk stops the work itself, which says so
                continue

    def _end(self, job: Job, state: str, detail: str) -> None:
        """A disk that is full or gone must not hide why the work failed."""
        try:
            with self._database.writing() as db:
                values = (state, self._clock(), detail, job.id)
                db.execute("UPDATE jobs SET state = ?, heartbeat = ?, detail = ? WHERE id = ?", values)
        except HomeError:
            if state == "done":
                raise
