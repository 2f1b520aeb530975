"""`embassay search` from process start to answer, against a script with sentence-transformers and numpy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import embassay
from benchmarks.common import DATA, PEER_PYTHON, ROOT, WORK, Row, arguments, at_most, median, report, stored, timed

QUERY = "how do I set a proxy"


def main() -> None:
    chosen = arguments(__doc__)
    home, vectors = WORK / "cli" / ".embassay", WORK / "cli" / "vectors.npz"
    fill(home, [DATA / "docs" / "fastapi", DATA / "docs" / "httpx"], vectors)
    theirs = [str(PEER_PYTHON), str(ROOT / "benchmarks" / "peer.py"), "search", str(vectors), QUERY]
    report("cli", start_to_answer(home, theirs, max(5, chosen.rounds)), chosen.json)


def fill(home: Path, folders: Sequence[Path], vectors: Path) -> None:
    """Index the folders, and write the same vectors for the peer to `vectors`."""
    with embassay.open(home) as opened:
        opened.index(folders)
        chunks, rows = stored(opened)
    np.savez(vectors, vectors=rows, paths=[chunk.path for chunk in chunks])


def start_to_answer(home: Path, theirs: list[str], rounds: int) -> list[Row]:
    """A search in a new process, and the peer's command, in turns."""
    ours = [sys.executable, "-m", "embassay.cli.main", "search", QUERY, "-k", "5", "--home", str(home)]
    run(ours), run(theirs)  # warm the page cache
    mine, others = [], []
    for _ in range(rounds):
        mine.append(run(ours))
        others.append(run(theirs))
    ratio = median([a / b for a, b in zip(mine, others, strict=True)])
    what = "the same with sentence-transformers"
    return [
        at_most("embassay search, process start to answer", median(mine), 0.7, "s"),
        Row(what, median(mine), median(others), ratio, "s", "<= 0.2x", ratio <= 0.2),
    ]


def run(command: list[str]) -> float:
    return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


if __name__ == "__main__":
    main()
