"""`embassay search` from process start to answer, against a script with sentence-transformers and numpy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

import embassay
from benchmarks.common import DATA, PEER_PYTHON, ROOT, WORK, Row, arguments, at_most, median, report, timed

QUERY = "how do I set a proxy"


def main() -> None:
    chosen = arguments(__doc__)
    home_folder = WORK / "cli" / ".embassay"
    vectors = WORK / "cli" / "vectors.npz"
    with embassay.open(home_folder) as home:
        home.index([DATA / "docs" / "fastapi", DATA / "docs" / "httpx"])
        blocks = list(home._home.store(home._live("default")).snapshot().scan())
    np.savez(
        vectors, vectors=np.concatenate([v for _, v in blocks]), paths=[c.path for chunks, _ in blocks for c in chunks]
    )
    ours = [sys.executable, "-m", "embassay.cli.main", "search", QUERY, "-k", "5", "--home", str(home_folder)]
    theirs = [str(PEER_PYTHON), str(ROOT / "benchmarks" / "peer.py"), "search", str(vectors), QUERY]
    run(ours), run(theirs)  # warm the page cache
    mine, others = [], []
    for _ in range(max(5, chosen.rounds)):
        mine.append(run(ours))
        others.append(run(theirs))
    ratio = median([a / b for a, b in zip(mine, others, strict=True)])
    report(
        "cli",
        [
            at_most("embassay search, process start to answer", median(mine), 2.0, "s"),
            Row(
                "the same with sentence-transformers",
                median(mine),
                median(others),
                ratio,
                "s",
                "<= 0.333x",
                ratio <= 1 / 3,
            ),
        ],
        chosen.json,
    )


def run(command: list[str]) -> float:
    return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


if __name__ == "__main__":
    main()
