"""What logging and monitoring cost a search, and how long a report on a million logged searches takes.

The cost is in seconds of the processor, of all threads: blocks of searches of one home, of which every other one is
logged, and checks as a server does them. (Two homes side by side differ by a hundredth on their own.) The million
searches are made: most queries come again and again, as those of people do, and then every query is another one.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import embassay
from benchmarks.common import MODEL, WORK, Row, arguments, at_most, jsonl, median, report
from embassay.config.values import Config, QueryLogConfig
from embassay.events import Searched
from embassay.home import open_home
from embassay.monitor.monitor import Monitor
from embassay.session import Session
from embassay.sets.log.recorder import QueryRecorder

HOME = WORK / "monitoring" / ".embassay"
SET = "scifact"
BLOCK = 10
"""Searches of one side, after which the other one comes."""
PER_CHECK = 200
"""Searches that one check falls on where a server, which checks once a minute, is asked three times a second."""
OFTEN = 600
"""The same of one that is asked ten times a second."""
MILLION = 1_000_000
DAYS = 7
DIFFERENT = 200_000
"""Queries of the million of which most are asked often."""


def main() -> None:
    chosen = arguments(__doc__)
    with TemporaryDirectory(dir=WORK) as place:
        rows = [*cost(chosen.rounds), *long_report(Path(place))]
    report("monitoring", rows, chosen.json, peer="off")


def cost(rounds: int) -> Iterator[Row]:
    """Of one search, in milliseconds of the processor."""
    queries = [row["text"] for row in jsonl("scifact/queries.jsonl")]
    with Session(Config()) as session, open_home(HOME, session=session) as home:
        index_scifact(home)
        home.query_log.clear()
        recorder = QueryRecorder(HOME / "state.db", QueryLogConfig(queries="kept"), print)
        monitor = Monitor(home, SET)
        spent: dict[bool, list[float]] = {False: [], True: []}
        check: list[float] = []
        searched(home, queries[:50], recorder)
        for at in range(rounds):
            for start in range(50, len(queries) - BLOCK, BLOCK):
                block = queries[start : start + BLOCK]
                for logs in (False, True) if start // BLOCK % 2 else (True, False):  # who comes first alternates
                    spent[logs].append(searched(home, block, recorder if logs else None))
                if start % PER_CHECK == 50 or not check:
                    check.append(cpu(monitor.check))
            if at == 0 and rounds > 1:
                check = check[1:]  # what is loaded once is no cost of a search
        recorder.close()
    without, logged, checked = median(spent[False]), median(spent[True]), median(check) * 1000
    yield Row("a search, logged", logged, without, logged / without, "ms", "reported", None)
    yield Row("a check of the set", checked, None, None, "ms", "reported", None)
    share = {every: (logged + checked / every) / without * 100 - 100 for every in (PER_CHECK, OFTEN)}
    yield at_most(f"logging and a check in {PER_CHECK} searches", share[PER_CHECK], 3, "%")
    yield Row(f"logging and a check in {OFTEN} searches", share[OFTEN], None, None, "%", "reported", None)


def searched(home: embassay.Home, queries: Sequence[str], recorder: QueryRecorder | None) -> float:
    """Milliseconds of the processor for a search, with what `recorder` writes behind it."""
    forget = home.session.events.subscribe(Searched, recorder) if recorder else lambda: None

    def all_of_them() -> None:
        for query in queries:
            home.search(query, set=SET)
        if recorder:
            recorder.flush()

    try:
        return cpu(all_of_them) * 1000 / len(queries)
    finally:
        forget()


def cpu(work: object) -> float:
    started = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - started


def index_scifact(home: embassay.Home) -> None:
    if SET not in home.sets():
        rows = jsonl("scifact/corpus.jsonl")
        documents = [{"id": row["_id"], "title": row["title"], "text": row["text"]} for row in rows]
        home.set(SET).upsert(documents, model=MODEL)


def long_report(place: Path) -> Iterator[Row]:
    """Seconds and MB of the command, started anew."""
    home = place / ".embassay"
    (place / "docs").mkdir()
    for at in range(20):
        (place / "docs" / f"{at}.md").write_text(f"# Page {at}\n\nHow the key of door {at} is turned.\n")
    with embassay.open(home) as opened:
        opened.index([place / "docs"], model="hash/64")
        space = opened.set().space().digest
    for what, different in ((f"{DIFFERENT:,} queries", DIFFERENT), ("all queries different", MILLION)):
        fill(home / "state.db", space, different)
        seconds, megabytes, found = reported(place, home)
        assert found["searches"] == MILLION, found["searches"]
        yield Row(f"report over {MILLION:,} searches, {what}", seconds[1], None, None, "CPU s", "reported", None)
        yield at_most("the same, on the clock", seconds[0], 10, "s")
        yield at_most("the same, memory at its peak", megabytes, 500, "MB")


def fill(file: Path, space: str, different: int) -> None:
    """A million searches of the last days, with clicks on some and thumbs on a few."""
    chance = np.random.default_rng(7)
    numbers = (
        np.arange(MILLION)
        if different == MILLION
        else np.minimum(chance.zipf(1.3, MILLION), different).astype(np.int64)
    )
    asked = np.sort(time.time() - chance.random(MILLION) * DAYS * 86_400)
    took, dense = chance.gamma(4, 3, MILLION), np.clip(chance.normal(0.5, 0.15, MILLION), -1, 1)
    found = np.where(chance.random(MILLION) < 0.03, 0, 10)
    click = np.where(chance.random(MILLION) < 0.1, np.minimum(chance.geometric(0.5, MILLION), 10), 0)
    down = (click == 0) & (chance.random(MILLION) < 0.02)
    hits = json.dumps(
        [[at, "default", f"docs/{at}.md", f"{at:032x}", 1, 9, 0.5, {"dense": [at, 0.5]}] for at in (1, 2, 3)]
    )
    with closing(sqlite3.connect(file)) as db, db:
        for table in ("queries", "marks"):
            db.execute(f"DELETE FROM {table}")
        columns = zip(asked.tolist(), numbers.tolist(), took.tolist(), strict=True)
        db.executemany(
            "INSERT INTO queries (seq, id, asked, set_name, space, pipeline, form, query, took_ms, hits) "
            "VALUES (?, ?, ?, 'default', ?, 'dense(100) >> top(10)', 'kept', ?, ?, ?)",
            (
                (at, f"{at:016x}", when, space, f"how is the key of door {number} turned by a guest", ms, hits)
                for at, (when, number, ms) in enumerate(columns, 1)
            ),
        )
        of_each = (numbers, found, dense, click, (click > 0) & ~down, (click > 0) | down)
        marks = zip(asked.tolist(), took.tolist(), *(one.tolist() for one in of_each), strict=True)
        db.executemany(
            "INSERT INTO marks (seq, set_name, space, asked, took_ms, query, hits, dense, first_click, satisfied, "
            "feedback) VALUES (?, 'default', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((at, space, *row) for at, row in enumerate(marks, 1)),
        )


MEASURED = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
"""A process that has used little when it starts another one: memory at its peak counts from there."""


def reported(place: Path, home: Path) -> tuple[tuple[float, float], float, dict[str, object]]:
    """Seconds on the clock and of the processor, megabytes, and what was said."""
    file = place / "report.json"
    command = [sys.executable, "-m", "embassay", "monitor", "report", "--days", str(DAYS + 1), "--json"]
    command += ["--home", str(home), "--html", str(place / "report.html")]
    with file.open("w") as out:
        told = subprocess.run(
            [sys.executable, "-c", MEASURED, *command], stdout=out, stderr=subprocess.PIPE, text=True, check=True
        )
    clock, processor, most = map(float, told.stderr.split()[-3:])
    found: dict[str, object] = json.loads(file.read_text())
    return (clock, processor), most * (1 if sys.platform == "darwin" else 1024) / 1e6, found


if __name__ == "__main__":
    main()
