"""What the benchmarks share: data, the peer process, and how results are printed."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.sets.folder import HomeFolder

if TYPE_CHECKING:
    import embassay
    from embassay.stores.base import Store

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("EMBASSAY_DATA") or ROOT.parent / "shared" / "data")
WORK = Path(os.environ.get("EMBASSAY_BENCH") or ROOT / "benchmarks" / ".work")
PEER_PYTHON = Path(os.environ.get("EMBASSAY_PEER") or ROOT / ".peer" / "bin" / "python")
NUMBERS = 6
"""Of a chunk: where its body begins, its lines, its characters, its tokens."""
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Row:
    """One line of the report. `bar` is what the figure is held against, as text."""

    what: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    bar: str
    met: bool | None


def report(name: str, rows: list[Row], as_json: bool, *, peer: str = "peer") -> None:
    """Print the rows, as a table or as one JSON object. `peer` heads the column of what ours is held against."""
    if as_json:
        print(json.dumps({"benchmark": name, "rows": [asdict(row) for row in rows]}))
        return
    print(f"\n{name}")
    print(f"{'what':<58}{'ours':>12}{peer:>12}{'ratio':>8}  {'unit':<10}{'bar':<16}met")
    for row in rows:
        other = f"{row.peer:>12,.5g}" if row.peer is not None else f"{'-':>12}"
        ratio = f"{row.ratio:>8.2f}" if row.ratio is not None else f"{'-':>8}"
        met = {True: "yes", False: "NO", None: ""}[row.met]
        print(f"{row.what:<58}{row.ours:>12,.5g}{other}{ratio}  {row.unit:<10}{row.bar:<16}{met}")


def at_least(what: str, ours: float, bar: float, unit: str = "", peer: float | None = None) -> Row:
    """A figure that has to reach `bar`."""
    return Row(what, ours, peer, ours / peer if peer else None, unit, f">= {bar:g}", ours >= bar)


def at_most(what: str, ours: float, bar: float, unit: str = "", peer: float | None = None) -> Row:
    return Row(what, ours, peer, ours / peer if peer else None, unit, f"<= {bar:g}", ours <= bar)


def near(what: str, ours: float, expected: float, tolerance: float, unit: str = "") -> Row:
    """A figure that has to reproduce a published one."""
    met = abs(ours - expected) <= tolerance
    return Row(what, ours, expected, ours / expected, unit, f"{expected:g} +- {tolerance:g}", met)


def faster(what: str, ours: float, peer: float, bar: float, unit: str = "texts/s") -> Row:
    """Throughputs whose ratio has to reach `bar`."""
    return Row(what, ours, peer, ours / peer, unit, f">= {bar:g}x", ours / peer >= bar)


def arguments(description: str | None) -> argparse.Namespace:
    """Command line of a benchmark; leaves with a reason where the data is missing."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds; the median counts")
    chosen = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        raise SystemExit(0)
    WORK.mkdir(parents=True, exist_ok=True)
    return chosen


def jsonl(path: str) -> Iterator[dict[str, Any]]:
    with (DATA / path).open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def glosses() -> list[str]:
    """107,525 short definitions as embassay indexes them."""
    return [f"{row['title']}\n{row['text']}" for row in jsonl("wordnet-glosses/corpus.jsonl")]


def on_disk(home: Path) -> int:
    """Bytes of the rows of a home, with everything that is kept to find them."""
    return sum(file.stat().st_size for file in (home / "vectors").rglob("*") if file.is_file())


def own_bytes(chunks: list[embassay.Chunk], vectors: np.ndarray) -> int:
    """Bytes of every field of these rows as it is handed over, numbers as four bytes, and of their vectors."""
    texts = sum(
        len(text.encode())
        for chunk in chunks
        for text in (chunk.key, chunk.document, chunk.path, chunk.section, chunk.indexed, json.dumps(chunk.metadata))
    )
    return texts + len(chunks) * 4 * NUMBERS + vectors.nbytes


def passages(words: int, count: int) -> list[str]:
    """So many texts of so many words each, from this project's own pages; no two begin alike."""
    text = " ".join(page.read_text("utf-8") for page in sorted((ROOT / "docs").rglob("*.md"))).split()
    starts = [(at * 37) % max(1, len(text) - words) for at in range(count)]
    return [f"{at} " + " ".join(text[start : start + words]) for at, start in enumerate(starts)]


def exact_texts(tokens: Any, length: int, count: int) -> list[str]:
    """Heads of SciFact abstracts of exactly `length` tokens, special tokens included."""
    found: list[str] = []
    for row in jsonl("scifact/corpus.jsonl"):
        text = f"{row['title']} {row['text']}"
        offsets = tokens.tokenizer.encode(text, add_special_tokens=False).offsets
        if len(offsets) >= length:
            found.append(text[: offsets[length - tokens.special - 1][1]])
        if len(found) == count:
            break
    return found


@contextmanager
def opened_store(home: embassay.Home, name: str = "default") -> Iterator[Store]:
    """The store of a set's live generation."""
    folder = HomeFolder(home.folder)
    with closing(folder.state()) as state, closing(folder.store(state.live(name))) as store:
        yield store


def stored(home: embassay.Home) -> tuple[list[embassay.Chunk], np.ndarray]:
    """Every chunk of the set ``default`` with its vector."""
    from embassay.stores.values import VECTOR

    with opened_store(home) as store, store.snapshot() as version:
        blocks = list(version.scan())
    vectors = np.concatenate([by_label[VECTOR] for _, by_label in blocks])
    return [chunk for chunks, _ in blocks for chunk in chunks], vectors


def median(values: list[float]) -> float:
    return statistics.median(values)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Peer:
    """sentence-transformers in a process and environment of its own: one JSON object a line each way."""

    def __init__(self) -> None:
        if not PEER_PYTHON.is_file():
            print(f"skipped: no peer at {PEER_PYTHON}; make bench installs it (or EMBASSAY_PEER)", file=sys.stderr)
            raise SystemExit(0)
        self._process = subprocess.Popen(
            [str(PEER_PYTHON), str(ROOT / "benchmarks" / "peer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
