"""Indexing end to end against the engine alone, its memory, and what one changed file costs."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import embassay
from benchmarks.common import (
    DATA,
    MODEL,
    WORK,
    Row,
    arguments,
    at_least,
    at_most,
    glosses,
    median,
    on_disk,
    own_bytes,
    report,
    stored,
    timed,
)
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local

SAMPLE = 20_000
"""Texts by which the bare engine is timed, right before and right after the run."""
GLOSSES_HOME = WORK / "glosses" / ".embassay"


def main() -> None:
    chosen = arguments(__doc__)
    rows = end_to_end(DATA / "wordnet-glosses" / "corpus.jsonl", glosses(), GLOSSES_HOME, open_local(MODEL))
    report("ingest", [*rows, *one_changed_file(unpacked(WORK / "tldr"))], chosen.json)


def index_anew(path: Path, home: Path) -> float:
    """Index a file into a new home, in a process of its own; seconds."""
    shutil.rmtree(home.parent, ignore_errors=True)
    home.parent.mkdir(parents=True)
    return index(path, home)


def index(path: Path, home: Path) -> float:
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(path), "--home", str(home), "--json"]
    return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def end_to_end(corpus: Path, texts: list[str], home: Path, engine: LocalEmbedder) -> list[Row]:
    """`texts` are the rows of `corpus` as they are embedded, for the bare engine."""
    before = bare(engine, texts[:SAMPLE])
    rate = len(texts) / index_anew(corpus, home)
    after = bare(engine, texts[-SAMPLE:])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    with embassay.open(home) as opened:
        own = own_bytes(*stored(opened))
    return [
        at_least(f"share of the bare engine, {len(texts):,} texts end to end", rate / ((before + after) / 2), 0.85),
        Row("texts a second: end to end, bare engine", rate, (before + after) / 2, None, "texts/s", "reported", None),
        at_most("peak memory", peak, 1.5, "GB"),
        at_most("on disk, over the bytes of all fields and vectors", on_disk(home) / own, 1.3, "x"),
    ]


def bare(engine: LocalEmbedder, texts: list[str]) -> float:
    """Texts a second of the engine alone, tokenising included."""
    engine.embed(texts[:2000], "document")
    return len(texts) / timed(lambda: sum(len(block) for block in engine.stream(iter(texts), "document")))


def unpacked(place: Path) -> Path:
    """A new folder with 7,425 pages of Markdown in ``docs``."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.unpack_archive(DATA / "docs" / "tldr-en.tar.gz", place / "docs")
    return place


def one_changed_file(place: Path, *, rounds: int = 5, pause: float = 2.5) -> list[Row]:
    """`embassay index` from process start over ``place/docs``, after one file of it changed, and after none did.

    A file that was written less than `pause` seconds before a run is read again by the next one, its time being too
    coarse to tell whether it changed.
    """
    first = index(place / "docs", place / ".embassay")
    time.sleep(pause)
    index(place / "docs", place / ".embassay")
    files = sorted((place / "docs").rglob("*.md"))
    seconds = []
    for file in files[:rounds]:
        file.write_text(file.read_text() + "\n- Rotate the key:\n\n`rotate --key`\n")
        seconds.append(index(place / "docs", place / ".embassay"))
    nothing = index(place / "docs", place / ".embassay")
    return [
        at_most(f"index again, one of {len(files):,} files changed", median(seconds), 3.0, "s", peer=first),
        at_most("index again, nothing changed", nothing, 3.0, "s", peer=first),
    ]


if __name__ == "__main__":
    main()
