"""How soon a saved file is searchable while a folder is watched, and whether any of many changes is missed.

    python -m benchmarks.watch [--changes N] [--saves N] [--json]

Files are saved one by one into a watched folder, and each is searched for until it is found. Then files are written,
changed, moved and removed, 10,000 in ten seconds, while the watcher is at work; in the end the set has to hold exactly
what the disk holds. The model is the hash provider, so that what is measured is the watching and not a model.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from pathlib import Path

import embassay
from benchmarks.common import Row, at_most, median, report
from embassay.sets.watching.reports import Updated
from embassay.sets.watching.watcher import Watcher

MODEL = "hash/64"
SECONDS = 10.0
"""In which all changes of the burst are made."""
GRACE = 300.0
"""Longest that the end of the burst is waited for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10_000, help="of the burst")
    parser.add_argument("--saves", type=int, default=20, help="files that are saved one by one")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="embassay-watch-") as place:
        report("watch", rows(Path(place), chosen.changes, chosen.saves), chosen.json)


def rows(place: Path, changes: int, saves: int, seconds: float = SECONDS) -> list[Row]:
    """Both figures, of a folder below `place`."""
    docs = place / "docs"
    docs.mkdir()
    (docs / "first.md").write_text("# First\n\nA page.\n")
    with embassay.open(place / ".embassay") as home, home.watch([docs], model=MODEL) as watcher:
        ready = threading.Event()
        thread = threading.Thread(target=_follow, args=(watcher, ready))
        thread.start()
        ready.wait()
        saved = [_searchable(home, docs, number) for number in range(saves)]
        took = _burst(docs, changes, seconds)
        began = time.perf_counter()
        while (missed := _missed(home, docs)) and time.perf_counter() - began < GRACE:
            time.sleep(0.2)
        behind = time.perf_counter() - began
        watcher.stop()
        thread.join()
    return [
        at_most(f"a saved file is searchable, median of {saves}", median(saved), 2, "s"),
        at_most(f"a saved file is searchable, worst of {saves}", max(saved), 2, "s"),
        at_most(f"files missed of {changes:,} changes in {took:.1f} s", missed, 0),
        at_most("from the last of them until all are held", behind, GRACE, "s"),
    ]


def _follow(watcher: Watcher, ready: threading.Event) -> None:
    for told in watcher:
        if isinstance(told, Updated):
            ready.set()


def _searchable(home: embassay.Home, docs: Path, number: int) -> float:
    """Seconds from saving a file until a search by its words finds it."""
    word = f"zebra{number}"
    (docs / f"saved{number}.md").write_text(f"# Saved\n\nThe {word} stands here.\n")
    began = time.perf_counter()
    while not any(word in hit.chunk.text for hit in home.search(word, k=3, mode="lexical").hits):
        time.sleep(0.01)
    return time.perf_counter() - began


def _burst(docs: Path, files: int, seconds: float) -> float:
    """So many changes spread over so many seconds, or as fast as the disk is; how long they took."""
    chance = random.Random(13)
    there: list[Path] = []
    began = time.perf_counter()
    for number in range(files):
        what = chance.random()
        if there and what < 0.1:
            there.pop(chance.randrange(len(there))).unlink()
        elif there and what < 0.2:
            at = chance.randrange(len(there))
            there[at] = there[at].rename(there[at].with_name(f"moved{number}.md"))
        elif there and what < 0.35:
            chance.choice(there).write_text(f"# Changed\n\nChange {number}.\n")
        else:
            file = docs / f"folder{chance.randrange(50)}" / f"{number}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"# File\n\nFile {number}.\n")
            there.append(file)
        time.sleep(max(0.0, began + seconds * number / files - time.perf_counter()))
    return time.perf_counter() - began


def _missed(home: embassay.Home, docs: Path) -> int:
    """Files that the set holds otherwise than the disk, or only one of the two holds."""
    root = docs.parent
    disk = {file.relative_to(root).as_posix(): file.read_text().strip() for file in docs.rglob("*.md")}
    held = {chunk.path: chunk.text.strip() for chunk in home.set().chunks()}
    return len(disk.items() ^ held.items())


if __name__ == "__main__":
    main()
