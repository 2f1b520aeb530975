"""A set is switched and rolled back again and again while processes search it without pause, and while it is written.

Whether a result is mixed is told by an oracle: of each query, what each generation finds, with its scores, is known
beforehand, and the space that a result names says which of the two it has to be. Writes are held against the journal of
the process that made them, in both generations.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import embassay
from benchmarks.common import Row, report
from embassay.sets.followers import behind
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget

SET, OLD, NEW = "docs", "hash/64", "hash/96"
RECORDS, QUERIES, SEARCHERS = 2_000, 40, 4
SEARCHES = 100_000
BAR_MS = 50.0
WRITES_A_SECOND, WRITING_SECONDS = 50, 20.0
CALLS_A_SECOND = 5
"""Each call writes ten records, and another one deletes one."""
"""Writes come in groups of five: four new texts, and one record deleted."""
DIGITS = 4
"""Of a score that are compared: the rest depends on how rows are grouped in a product."""


@dataclass
class Outcome:
    """What came of the searches."""

    searches: int
    switches: int
    errors: list[str]
    mixed: int
    spaces: int
    """How many generations answered."""
    p999_ms: float
    worst_ms: float


@dataclass
class Written:
    """What came of the writes."""

    records: int
    seconds: float
    lost: dict[str, int]
    """Records that a generation does not have as they were written, by what was done last."""


def prepared(folder: Path, records: int = RECORDS) -> Path:
    """A home whose set has two generations, between which it can be switched; the file of what each finds."""
    expected: dict[str, dict[str, list[Any]]] = {}
    with embassay.open(folder / ".embassay") as home:
        docs = home.set(SET)
        docs.upsert(({"id": str(at), "text": text(at)} for at in range(records)), model=OLD)
        begin(home._sets, SET, MigrationTarget.of(NEW))
        run(home._sets, SET)
        docs.switch()
        for _ in range(2):
            queries = {f"which one is it {at}" for at in range(QUERIES)}
            found = {query: docs.search(query, k=5, mode="dense") for query in queries}
            expected[next(iter(found.values())).space.digest] = {query: hits_of(one) for query, one in found.items()}
            docs.rollback()
    file = folder / "expected.json"
    file.write_text(json.dumps(expected))
    return file


def text(at: int) -> str:
    """What a record says."""
    return f"Record {at} of the house number {at * 7919 % 1000} stands on shelf {at % 83}."


def hits_of(found: Any) -> list[Any]:
    """What a result is held by: documents and scores."""
    return [[hit.chunk.document, round(hit.arms["dense"].score, DIGITS)] for hit in found.hits]


def searched(folder: Path, searches: int, *, switching: bool, searchers: int = SEARCHERS) -> Outcome:
    """Search with several processes, with or without switches beside them."""
    command = [sys.executable, "-m", "benchmarks.switching", "--search", str(folder), "--searches"]
    processes = [
        subprocess.Popen([*command, str(searches // searchers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(searchers)
    ]
    for process in processes:
        assert process.stdout and process.stdin
        process.stdout.readline()  # its model is open
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    switches = 0
    with embassay.open(folder / ".embassay") as home, ThreadPoolExecutor(searchers) as pool:
        replies = [pool.submit(process.communicate) for process in processes]  # what one says may fill its pipe
        while not all(reply.done() for reply in replies):
            if switching:
                home.set(SET).rollback()
                switches += 1
            time.sleep(0.05)
    outcomes = [json.loads(reply.result()[0].splitlines()[-1]) for reply in replies]
    took = np.concatenate([one["took"] for one in outcomes])
    return Outcome(
        len(took),
        switches,
        [error for one in outcomes for error in one["errors"]],
        sum(one["mixed"] for one in outcomes),
        len({space for one in outcomes for space in one["spaces"]}),
        float(np.percentile(took, 99.9)),
        float(took.max()),
    )


def search(folder: Path, searches: int) -> None:
    """One process that searches, and prints what it saw as one line."""
    expected = json.loads((folder / "expected.json").read_text())
    queries = sorted(next(iter(expected.values())))
    errors, took, spaces, mixed = [], [], set(), 0
    with embassay.open(folder / ".embassay") as home:
        docs = home.set(SET)
        docs.search(queries[0], k=5, mode="dense")
        print("ready", flush=True)
        sys.stdin.readline()
        for at in range(searches):
            query = queries[at % len(queries)]
            began = time.perf_counter()
            try:
                found = docs.search(query, k=5, mode="dense")
            except Exception as error:
                errors.append(repr(error)[:300])
                continue
            took.append((time.perf_counter() - began) * 1000)
            spaces.add(found.space.digest)
            mixed += hits_of(found) != expected[found.space.digest][query]
    print(json.dumps({"errors": errors, "took": took, "spaces": sorted(spaces), "mixed": mixed}))


def written(folder: Path, seconds: float = WRITING_SECONDS, records: int = 500) -> Written:
    """Write and delete without pause while a set is migrated, switched and rolled back."""
    with embassay.open(folder / ".embassay") as home:
        docs, sets = home.set(SET), home._sets
        docs.upsert(({"id": f"old {at}", "text": text(at)} for at in range(records)), model=OLD)
        command = [sys.executable, "-m", "benchmarks.switching", "--write", str(folder)]
        writer = subprocess.Popen([*command, "--seconds", str(seconds)], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(seconds / 8)
        begin(sets, SET, MigrationTarget.of(NEW))
        run(sets, SET)
        time.sleep(seconds / 4)
        docs.switch()
        time.sleep(seconds / 4)
        docs.rollback()
        last, _ = writer.communicate()
        assert writer.returncode == 0
        previous = sets.state.set(SET).previous
        assert previous is not None, "it was just rolled back"
        live, kept = sets.live(SET), sets.state.generation(previous)
        model = {f"old {at}": text(at) for at in range(records)} | json.loads((folder / "model.json").read_text())
        lost = {
            one.spec.model: sum(found.get(name) != said for name, said in model.items())
            for one, found in ((one, _texts(sets, one)) for one in (live, kept))
        }
        lost["differing"] = behind(sets.state, live, kept)
    count, took = last.split()
    return Written(int(count), float(took), lost)


def write(folder: Path, seconds: float) -> None:
    """One process that writes at a rate; what every record says at the end is left in a file."""
    model: dict[str, str | None] = {}
    with embassay.open(folder / ".embassay") as home:
        docs = home.set(SET)
        docs.upsert([{"id": "first", "text": "here"}])
        print("ready", flush=True)
        began, at = time.monotonic(), 0
        while (now := time.monotonic()) < began + seconds:
            group = WRITES_A_SECOND // CALLS_A_SECOND
            put, gone = (f"new {one % 400}" for one in range(at + 1, at + group)), f"new {(at + 1 - group) % 400}"
            said = {name: f"{text(at)} {name}, version {at}." for name in put}
            docs.upsert([{"id": name, "text": words} for name, words in said.items()])
            docs.delete(ids=[gone])
            model |= said | {gone: None}
            at += group
            time.sleep(max(0.0, began + at / WRITES_A_SECOND - time.monotonic()))
        took = now - began
    (folder / "model.json").write_text(json.dumps(model))
    print(at, took)


def _texts(sets: Any, generation: Any) -> dict[str, str]:
    with closing(sets.folder.store(generation)) as store, store.snapshot() as version:
        return {chunk.document: chunk.text for chunks, _ in version.scan(()) for chunk in chunks}


def rows_of(control: Outcome, busy: Outcome, writes: Written) -> list[Row]:
    """The report."""
    beyond = busy.p999_ms - control.p999_ms
    errors, mixed = len(busy.errors), busy.mixed
    lost = sum(writes.lost.values())
    rate = writes.records / writes.seconds
    return [
        Row("searches beside switches", busy.searches, None, None, "searches", "100,000", None),
        Row("switches and rollbacks meanwhile", busy.switches, None, None, "switches", "", None),
        Row("searches that failed", errors, None, None, "searches", "0", errors == 0),
        Row("results of two generations", mixed, None, None, "searches", "0", mixed == 0),
        Row("p99.9 of a search without switches", control.p999_ms, None, None, "ms", "", None),
        Row("p99.9 beyond that with them", beyond, None, None, "ms", f"<= {BAR_MS:g}", beyond <= BAR_MS),
        Row("slowest search beside switches", busy.worst_ms, None, None, "ms", "", None),
        Row(
            "records written during migration, switch, rollback",
            rate,
            None,
            None,
            "a second",
            f"{WRITES_A_SECOND}",
            None,
        ),
        Row("records lost in either generation", lost, None, None, "records", "0", lost == 0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--searches", type=int, default=SEARCHES)
    parser.add_argument("--seconds", type=float, default=WRITING_SECONDS)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        search(given.search, given.searches)
        return
    if given.write:
        write(given.write, given.seconds)
        return
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as other:
        prepared(Path(place))
        control = searched(Path(place), given.searches, switching=False)
        busy = searched(Path(place), given.searches, switching=True)
        writes = written(Path(other), given.seconds)
    for error in busy.errors[:5]:
        print(error, file=sys.stderr)
    report("switching", rows_of(control, busy, writes), given.json)


if __name__ == "__main__":
    main()
