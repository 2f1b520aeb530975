"""What a row costs as a set grows: indexing 500,000 records against 100,000, the same with time for the model left out.

Rows are pairs of glosses, so that every one has words of its own. The model is `hash/384`, which takes next to no time:
what is measured is reading, cutting, storing and indexing. Its vectors are random, which no code makes shorter: what
rows of a real model take on disk is in `benchmarks.ingest`. Each run is the command in a process of its own, into a new
home; a run over 100,000 comes before and after the one over 500,000, so that a busy machine shows.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.common import WORK, Row, arguments, glosses, on_disk, report, timed

FEW, MANY = 100_000, 500_000
DIMENSIONS = 384
STEP = 7919
"""A prime: how far apart the two glosses of a pair stand, and further each time that the first ones are used up."""


@dataclass(frozen=True)
class Run:
    """What one run took, a row."""

    wall: float
    cpu: float
    """Seconds."""
    stored: float
    own: float
    """Bytes on disk, and those of its text and its vector."""


def main() -> None:
    chosen = arguments(__doc__)
    report("growth", rows(glosses(), FEW, MANY, chosen.rounds), chosen.json, peer="few")


def rows(texts: list[str], few: int, many: int, rounds: int = 1) -> list[Row]:
    """Milliseconds a row of `many` against `few`, and bytes."""
    small, large = [run(texts, few)], []
    for _ in range(rounds):
        large.append(run(texts, many))
        small.append(run(texts, few))
    made = []
    for what, name, bar in (("CPU", "cpu", 1.15), ("wall", "wall", None)):
        ours, theirs = (1000 * middle(getattr(one, name) for one in of) for of in (large, small))
        ratio, said = ours / theirs, f"<= {bar}x" if bar else "reported"
        met = ratio <= bar if bar else None
        made.append(Row(f"{what} a row: {many:,} rows against {few:,}", ours, theirs, ratio, "ms", said, met))
    for of, count in ((small, few), (large, many)):
        last = of[-1]
        what = f"disk of {count:,} rows, random vectors; their own bytes"
        made.append(Row(what, last.stored, last.own, last.stored / last.own, "B a row", "reported", None))
    return made


def middle(values: Iterator[float]) -> float:
    """The median; of two the smaller one."""
    found = sorted(values)
    return found[(len(found) - 1) // 2]


def run(texts: list[str], count: int) -> Run:
    """Index so many rows into a new home."""
    folder = WORK / "growth"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    corpus, home = folder / "corpus.jsonl", folder / ".embassay"
    with corpus.open("w", encoding="utf-8") as stream:
        for number, text in enumerate(pairs(texts, count)):
            stream.write(json.dumps({"_id": str(number), "text": text}) + "\n")
    model = f"hash/{DIMENSIONS}"
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(corpus), "--model", model, "--home", str(home)]
    before = cpu_seconds()
    wall = timed(lambda: subprocess.run([*command, "--json"], check=True, stdout=subprocess.DEVNULL))
    cpu = cpu_seconds() - before
    own = sum(len(text.encode()) for text in pairs(texts, count)) / count + 4 * DIMENSIONS
    stored = on_disk(home) / count
    shutil.rmtree(folder)
    return Run(wall / count, cpu / count, stored, own)


def pairs(texts: list[str], count: int) -> Iterator[str]:
    """So many texts, no two alike."""
    for number in range(count):
        around, first = divmod(number, len(texts))
        yield f"{texts[first]} / {texts[(first + STEP * (around + 1)) % len(texts)]}"


def cpu_seconds() -> float:
    """Of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
