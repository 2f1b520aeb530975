"""Index runs that are killed at random moments while files change: the rows are those of an undisturbed run.

    python -m benchmarks.kills [--kills 300] [--seed 0]

The folder holds plain files and ones that a process of their own reads. After every ten kills a run is left to end, and
every row of the set is held against those of a new home. No process may stay behind.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.common import Row, at_most, report, stored
from benchmarks.hostile import docx, paragraph
from benchmarks.processes import children, gone, start

ROUND = 10
"""Kills between two looks at the rows."""
FILES = 40
MODEL = "hash/64"
LONGEST = 5.0
"""Seconds after which a run is killed at the latest."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = killed(Path(folder), chosen.kills, chosen.seed)
    report("kills", rows, chosen.json)


def killed(folder: Path, kills: int, seed: int) -> list[Row]:
    """Kill so many runs over a folder that changes, and count what became of the rows."""
    rng = random.Random(seed)
    files, home = folder / "files", folder / "home"
    files.mkdir()
    for number in range(FILES):
        _write(files, number, 0, rng)
    wrong = ended = left = 0
    for kill in range(1, kills + 1):
        process = _start(files, home)
        time.sleep(rng.uniform(0.2, LONGEST))
        started = children(process.pid)
        process.send_signal(signal.SIGKILL)
        ended += process.wait() != -signal.SIGKILL
        left += not gone(started)
        _change(files, kill, rng)
        if kill % ROUND == 0 or kill == kills:
            wrong += not _equal(files, home, folder / "fresh")
    looks = -(-kills // ROUND)
    return [
        at_most(f"looks at which rows differ, of {looks}, after {kills} kills", wrong, 0),
        at_most("killed runs whose reading process stayed", left, 0),
        Row("runs that had ended before they were killed", ended, None, None, "runs", "reported", None),
    ]


def _equal(files: Path, home: Path, fresh: Path) -> bool:
    """Whether a run that is left to end gives the rows of a new home."""
    if _start(files, home).wait() != 0 or _start(files, fresh).wait() != 0:
        return False
    same = _rows(home) == _rows(fresh)
    shutil.rmtree(fresh)
    return same


def _rows(folder: Path) -> list[tuple[object, ...]]:
    import embassay

    with embassay.open(folder) as home:
        chunks, vectors = stored(home)
    return sorted(
        (c.key, c.path, c.lines, c.indexed, v.round(4).tobytes()) for c, v in zip(chunks, vectors, strict=True)
    )


def _start(files: Path, home: Path) -> subprocess.Popen[bytes]:
    return start("index", str(files), "--home", str(home), "--model", MODEL)


def _change(files: Path, version: int, rng: random.Random) -> None:
    """Write a few files anew, and take one away."""
    for number in rng.sample(range(FILES), 5):
        _write(files, number, version, rng)
    gone = rng.choice(sorted(files.iterdir()))
    gone.unlink()


def _write(files: Path, number: int, version: int, rng: random.Random) -> None:
    parts = [f"Rotate the key {number} {part} {version}. " * rng.randrange(1, 30) for part in range(12)]
    match number % 4:
        case 0:
            content = docx("".join(map(paragraph, parts)))
        case 1:
            content = "".join(f"<h2>Part</h2><p>{part}</p>" for part in parts).encode()
        case 2:
            content = "".join(f"def f{at}():\n    return {part!r}\n\n\n" for at, part in enumerate(parts)).encode()
        case _:
            content = "".join(f"## Part {at}\n\n{part}\n\n" for at, part in enumerate(parts)).encode()
    name = f"{number}{['.docx', '.html', '.py', '.md'][number % 4]}"
    (files / name).write_bytes(content)


if __name__ == "__main__":
    main()
