"""Mutated and hostile files of every format, each read and cut under the limits of an index run.

    python -m benchmarks.mutations [--count 2000] [--seed 0] [--kind TEXT]

Counts files that took longer than 20 s, the largest memory of a process, exceptions that were no ReadError, and whether
an index run over a part of the files ends as it should. No bar is about what is read; only that it ends.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.common import Row, at_most, report
from benchmarks.format_samples import MAKERS
from benchmarks.format_samples.words import Words
from benchmarks.hostile import HOSTILE, SEEDS, mutated, mutated_part
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.ingest.base import SourceFile
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import Chunked, NoText, Uncut, Unreadable, chunked, read_file
from embassay.ingest.isolation import Isolation

SECONDS = 20.0
"""Longest that one file may take."""
MOST_BYTES = 300_000
"""Of a mutated file: cutting takes about ten seconds for a megabyte of text, whatever it says."""
INDEXED = 200
"""Of the files, how many are indexed together, by the command that users run."""


@dataclass
class Outcome:
    """What became of the files so far."""

    slow: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """Of the slowest."""
    slowest: str = ""
    tracebacks: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=2000, help="files, the hostile ones among them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", default="", help="only hostile kinds whose name holds this")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = Outcome()
        try_files(Path(folder), hostile_files(chosen.kind), outcome)
        left = 0 if chosen.kind else chosen.count - outcome.kinds.total()
        try_files(Path(folder), mutated_files(left, chosen.seed), outcome)
        aborted = indexed(Path(folder) / "index", chosen.seed)
    for name in (*outcome.slow, *outcome.tracebacks, *aborted):
        print(name, file=sys.stderr)
    report("mutations", rows(outcome, aborted), chosen.json)


def rows(outcome: Outcome, aborted: list[str]) -> list[Row]:
    """The figures against their bars."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    said = ", ".join(f"{count:,} {kind}" for kind, count in outcome.kinds.most_common())
    return [
        at_most(f"files that took longer than {SECONDS:.0f} s, of {outcome.kinds.total():,}", len(outcome.slow), 0),
        at_most(f"slowest: {outcome.slowest}"[:58], outcome.seconds, SECONDS, "s"),
        at_most("memory of the run", ours, 1.0, "GB"),
        at_most("memory of the process that reads", theirs, 1.0, "GB"),
        at_most("tracebacks", len(outcome.tracebacks), 0),
        at_most("aborted index runs", len(aborted), 0),
        Row(said[:58], outcome.kinds.total(), None, None, "files", "reported", None),
    ]


def hostile_files(kind: str = "") -> Iterator[tuple[str, str, bytes]]:
    """(what it is, name, content) of every hostile file whose kind holds `kind`."""
    for what, (name, make) in HOSTILE.items():
        if kind in what:
            yield what, name, make()


@cache
def seeds() -> Mapping[str, bytes]:
    """A small file of each format: those of `SEEDS`, and made ones of the readers that have none there."""
    made = dict(SEEDS)
    for reader, maker in MAKERS.items():
        name, content = maker(Words(reader))
        if not any(name.rpartition(".")[2] == known.rpartition(".")[2] for known in SEEDS):
            made[name] = content
    return made


def mutated_files(count: int, seed: int, most: int = MOST_BYTES) -> Iterator[tuple[str, str, bytes]]:
    """(what it is, name, content) of `count` mutated files of at most so many bytes, all formats in turn."""
    rng = random.Random(seed)
    given = seeds()
    for at in range(count):
        name = list(given)[at % len(given)]
        packed = given[name].startswith(b"PK") and rng.random() < 0.75
        yield f"{name} {at}", name, (mutated_part if packed else mutated)(given[name], rng)[:most]


def try_files(folder: Path, given: Iterable[tuple[str, str, bytes]], outcome: Outcome) -> None:
    """Read and cut each file as an index run would."""
    chunker = Chunker(EstimatedTokens(256))
    with Isolation() as isolation:
        for what, name, content in given:
            file = folder / name
            file.write_bytes(content)
            started = time.monotonic()
            try:
                steps = list(chunked(read_file(what, SourceFile(file, name), isolation), chunker))
                outcome.kinds[_outcome_of(steps)] += 1
            except Exception as error:
                outcome.tracebacks.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
            seconds = time.monotonic() - started
            if seconds > SECONDS:
                outcome.slow.append(f"{what}: {seconds:.1f} s")
            if seconds > outcome.seconds:
                outcome.seconds, outcome.slowest = seconds, what


def _outcome_of(steps: Sequence[object]) -> str:
    if any(isinstance(step, Unreadable | Uncut) for step in steps):
        return "quarantined"
    if any(isinstance(step, NoText) for step in steps):
        return "without text"
    return "read" if any(isinstance(step, Chunked) for step in steps) else "empty"


def indexed(folder: Path, seed: int, count: int = INDEXED, most: int = MOST_BYTES) -> list[str]:
    """What was wrong with an index run over mutated files: it ends with 0 or 3, and prints no traceback."""
    (folder / "files").mkdir(parents=True)
    for at, (_, name, content) in enumerate(mutated_files(count, seed + 1, most)):
        (folder / "files" / f"{at}-{name}").write_bytes(content)
    command = [
        sys.executable,
        "-m",
        "embassay.cli.main",
        "index",
        str(folder / "files"),
        "--home",
        str(folder / "home"),
    ]
    done = subprocess.run([*command, "--model", "hash/64"], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3) or "Traceback" in done.stderr:
        return [f"exit code {done.returncode}: {done.stderr[-2000:]}"]
    return []


if __name__ == "__main__":
    main()
