"""PCA of a set from 384 to 128 dimensions, derived from its stored vectors, against embedding its texts again.

    python -m benchmarks.derive [--rows 107525]

The set holds short definitions under random vectors: what is derived of them costs the same. They are the rows of one
file, or records, of each of which the books are copied as well. The engine's rate is
measured on a sample of the same texts right before and right after.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import embassay
from benchmarks.common import DATA, MODEL, Row, glosses, opened_store, report
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.state import RECORD, SourceRow
from embassay.stores.values import VECTOR
from embassay.types import Chunk, Record

COMPONENTS, BLOCK, SAMPLE = 128, 8192, 2048
FILE = "corpus.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=107_525)
    chosen = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    texts, engine = glosses()[: chosen.rows], open_local(MODEL)
    rows = [compared(texts, engine, as_records=as_records) for as_records in (False, True)]
    report("derive", rows, chosen.json, peer="embedded")


def compared(texts: list[str], engine: LocalEmbedder, *, as_records: bool) -> Row:
    """Deriving, and the engine's rate right before and right after."""
    with tempfile.TemporaryDirectory() as folder, embassay.open(Path(folder) / ".embassay") as home:
        fill(home, texts, as_records=as_records)
        before = seconds_a_text(engine, texts)
        derived = derive(home)
        again = len(texts) * (before + seconds_a_text(engine, texts)) / 2
    what = f"{len(texts):,} {'records' if as_records else 'chunks of a file'} to PCA-{COMPONENTS}"
    bar, met = ("", None) if as_records else (">= 50x", again / derived >= 50)
    return Row(what, derived, again, again / derived, "s", bar, met)


def fill(home: embassay.Home, texts: list[str], *, as_records: bool) -> None:
    """A set of these texts, written past the model: each a record of its own, or all of them rows of one file."""
    home.set("default").upsert([{"id": "first", "text": "A first text makes the set."}], model=MODEL)
    sets, rng = home._sets, np.random.default_rng(0)
    live = sets.live("default")
    with opened_store(home) as store:
        for at in range(0, len(texts), BLOCK):
            part = texts[at : at + BLOCK]
            names = [f"d{at + i}" for i in range(len(part))]
            vectors = rng.normal(size=(len(part), live.space.dimensions)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            chunks = [
                Chunk(f"k{name}", name, name if as_records else FILE, "", text, 0, (1, 1), (0, len(text)), 20)
                for name, text in zip(names, part, strict=True)
            ]
            store.upsert(chunks, {VECTOR: vectors})
            if not as_records:
                continue
            rows = [
                SourceRow(name, len(text), 0, name, documents=1, chunks=1, reader=RECORD, chars=len(text))
                for name, text in zip(names, part, strict=True)
            ]
            sets.writable_state().put(live, rows, [Record(n, t) for n, t in zip(names, part, strict=True)])
        store.optimise(thorough=True)
    if not as_records:
        row = SourceRow(FILE, sum(map(len, texts)), 0, FILE, documents=len(texts), chunks=len(texts), reader="jsonl")
        sets.writable_state().put(live, [row])


def derive(home: embassay.Home) -> float:
    """Seconds until the derived generation has every row, and its words are indexed."""
    started = time.perf_counter()
    begin(home._sets, "default", MigrationTarget.of(None, pca=COMPONENTS))
    migration = run(home._sets, "default")
    seconds = time.perf_counter() - started
    assert migration.state == "ready", migration.reason
    return seconds


def seconds_a_text(engine: LocalEmbedder, texts: list[str]) -> float:
    """Of the bare engine, on texts drawn from all of them."""
    sample = random.Random(0).sample(texts, min(SAMPLE, len(texts)))
    started = time.perf_counter()
    for _ in engine.stream(iter(sample), "document"):
        pass
    return (time.perf_counter() - started) / len(sample)


if __name__ == "__main__":
    main()
