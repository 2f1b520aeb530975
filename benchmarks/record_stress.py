"""Processes that upsert and delete the same ids at once while others search, and some of which are killed.

The end state is held against a serial model: every writer notes its call in one journal once it holds the right to
write, so that the journal has the calls in the order in which they took effect. Of a call whose process was killed in
the middle either everything or nothing may have happened to a record.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import embassay
from embassay.sets.opened import OpenSets

MODEL = "hash/64"
SET = "stress"
IDS = [f"r/{number}" for number in range(60)]
LAG_SECONDS = 120.0
"""How long after its time a process may still wait for its turn."""


@dataclass
class Outcome:
    """What came of it."""

    calls: int
    searches: int
    errors: list[str]
    doubled: int
    wrong: list[str]
    """Ids that are not what the serial model says."""
    killed: int
    unfinished: int
    """Records that a killed process left half written, which the next call has to repair."""


@dataclass
class Model:
    """What one process that did all calls in order would have."""

    records: dict[str, str] = field(default_factory=dict)
    either: dict[str, set[str | None]] = field(default_factory=dict)
    """For ids of calls that were killed: what they may be besides, until the next call settles them."""

    def apply(self, call: dict[str, Any], done: bool) -> None:
        """Take one call of the journal."""
        if call["do"] == "upsert":
            changed: dict[str, str | None] = dict(call["records"])
        else:
            changed = dict.fromkeys(call["ids"])
        for identity, text in changed.items():
            if not done:
                self.either.setdefault(identity, {self.records.get(identity)}).add(text)
                continue
            self.either.pop(identity, None)
            if text is None:
                self.records.pop(identity, None)
            else:
                self.records[identity] = text

    def allows(self, identity: str, text: str | None) -> bool:
        """Whether a record may say this, or be missing."""
        return text in self.either.get(identity, {self.records.get(identity)})


def stressed(folder: Path, seconds: float, *, writers: int = 8, searchers: int = 4, kills: int = 3) -> Outcome:
    """Run it in `folder` for so long."""
    home, journal = folder / ".embassay", folder / "journal.jsonl"
    journal.touch()
    with embassay.open(home) as opened:
        opened.set(SET).upsert([{"id": "first", "text": "always here"}], model=MODEL)
    rng = random.Random(0)
    started = {_start("write", home, journal, seed): seed for seed in range(writers)}
    readers = [_start("search", home, journal, seed) for seed in range(searchers)]
    for process in (*started, *readers):
        assert process.stdout
        process.stdout.readline()  # it is ready
    until = time.time() + seconds
    for process in (*started, *readers):
        _go(process, until)
    killed = 0
    for kill in range(kills):
        time.sleep(max(0.0, seconds / (kills + 1) * rng.uniform(0.7, 1.2)))
        process = rng.choice(list(started))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += 1
        another = _start("write", home, journal, started.pop(process) + 100)
        _go(another, until)
        started[another] = kill
    errors, searches = [], 0
    for process in (*started, *readers):
        out, err = process.communicate(timeout=seconds + LAG_SECONDS)
        if process.returncode:
            errors.append(err.decode()[-500:])
        elif process in readers:
            searches += int(out.split()[-1])
    return _checked(home, journal, errors, searches, killed)


def _checked(home: Path, journal: Path, errors: list[str], searches: int, killed: int) -> Outcome:
    calls = [json.loads(line) for line in journal.read_text().splitlines()]
    done = {call["call"] for call in calls if call["do"] == "done"}
    model = Model()
    for call in calls:
        if call["do"] != "done":
            model.apply(call, call["call"] in done)
    with embassay.open(home) as opened:
        made = opened.set(SET)
        pending = [one.id for one in made.list() if one.state == "pending"]
        if pending:
            made.delete(ids=pending)
            for identity in pending:
                model.either.setdefault(identity, {model.records.get(identity)}).add(None)
        chunks = [chunk for block in _blocks(home) for chunk in block]
        stored = {chunk.path: chunk.text for chunk in chunks}
        texts = {record.id: record.text for record in made.get(IDS)}
        wrong = [one for one in IDS if not model.allows(one, texts.get(one)) or texts.get(one) != stored.get(one)]
        wrong += [finding.message for finding in made.doctor() if finding.level == "problem"]
    doubled = len(chunks) - len(stored)
    return Outcome(len(done), searches, errors, doubled, wrong, killed, len(pending))


def _blocks(home: Path) -> Iterator[Sequence[embassay.Chunk]]:
    from benchmarks.common import opened_store

    with embassay.open(home) as opened, opened_store(opened, SET) as store, store.snapshot() as version:
        yield from (chunks for chunks, _ in version.scan(()))


def _start(role: str, home: Path, journal: Path, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.record_stress", role, str(home), str(journal), str(seed)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def _go(process: subprocess.Popen[bytes], until: float) -> None:
    """Have a process begin, and end at the time `until`."""
    assert process.stdin
    process.stdin.write(f"{until}\n".encode())
    process.stdin.flush()


class Journal:
    """Notes each call of a writer once it holds the right to write, and once it is done."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND)
        self._call: dict[str, Any] = {}
        self._count = 0

    @contextmanager
    def call(self, **said: Any) -> Iterator[None]:
        self._count += 1
        self._call = {"call": f"{os.getpid()}.{self._count}", **said}
        yield
        self.note({"do": "done", "call": self._call["call"]})

    def listen(self) -> None:
        """Note the call at hand whenever the right to write is given."""
        inner = OpenSets.writing

        @contextmanager
        def writing(sets: OpenSets, generation: Any) -> Iterator[Any]:
            with inner(sets, generation) as state:
                self.note(self._call)
                yield state

        OpenSets.writing = writing  # type: ignore[method-assign,assignment]

    def note(self, what: dict[str, Any]) -> None:
        os.write(self._file, (json.dumps(what) + "\n").encode())


def write(home: Path, journal: Path, seed: int) -> None:
    rng, notes = random.Random(seed), Journal(journal)
    notes.listen()
    with embassay.open(home) as opened:
        made = opened.set(SET)
        until = _ready(made)
        while time.time() < until:
            ids = rng.sample(IDS, rng.randrange(1, 8))
            if rng.random() < 0.7:
                texts = {one: f"{one} is said by {seed} as {rng.randrange(10**9)}" for one in ids}
                with notes.call(do="upsert", records=texts):
                    made.upsert([{"id": one, "text": text, "metadata": {"by": seed}} for one, text in texts.items()])
            else:
                with notes.call(do="delete", ids=ids):
                    made.delete(ids=ids)


def search(home: Path, seed: int) -> int:
    rng, count = random.Random(seed), 0
    with embassay.open(home) as opened:
        made = opened.set(SET)
        until = _ready(made)
        while time.time() < until:
            hits = made.search(
                f"said by {rng.randrange(8)}", k=80, mode=rng.choice(["hybrid", "lexical", "dense"])
            ).hits
            found = [hit.chunk.document for hit in hits]
            assert len(found) == len(set(found)), "a record is found twice"
            assert any(hit.chunk.path == "first" for hit in made.search("always here", k=3).hits), "a record is lost"
            made.get(rng.sample(IDS, 5))
            count += 2
    return count


def _ready(made: embassay.EmbeddingSet) -> float:
    """Say that everything is loaded, and wait for the time until which to go on."""
    made.search("always here")
    print("ready", flush=True)
    return float(sys.stdin.readline())


def main() -> None:
    role, home, journal, seed = sys.argv[1:]
    if role == "write":
        write(Path(home), Path(journal), int(seed))
    else:
        print(search(Path(home), int(seed)))


if __name__ == "__main__":
    main()
