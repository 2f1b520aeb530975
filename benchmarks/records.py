"""Records from Python: a bulk against the engine alone, one upsert, searches at once, and processes at once.

    python -m benchmarks.records [--stress 120]

`--stress` only runs eight writing and four searching processes for so many seconds, see `benchmarks.record_stress`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import embassay
from benchmarks.common import DATA, MODEL, WORK, Row, at_least, at_most, glosses, median, report, timed
from benchmarks.record_stress import stressed
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local

BULK = 20_000
WORDS = 20
SAMPLE = 5_000
"""Texts by which the bare engine is timed, right before and right after the bulk."""
AT_ONCE = 64
SINGLES = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--stress", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--grown", type=int, default=2_000, help="single upserts before the last timing")
    chosen = parser.parse_args()
    if not DATA.is_dir() and not chosen.stress:
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        if chosen.stress:
            rows = at_once(Path(folder), chosen.stress)
        else:
            WORK.mkdir(parents=True, exist_ok=True)
            rows = handed_over(Path(folder), made_up(BULK), open_local(MODEL), grown=chosen.grown)
    report("records", rows, chosen.json)


def made_up(count: int, words: int = WORDS) -> list[str]:
    """Texts of so many words, which are drawn from definitions."""
    rng = random.Random(0)
    known = [word for text in glosses()[:20_000] for word in text.split()]
    return [" ".join(rng.choices(known, k=words)) for _ in range(count)]


def handed_over(folder: Path, texts: list[str], engine: LocalEmbedder, *, grown: int, model: str = MODEL) -> list[Row]:
    """All figures of one set, which is made in `folder`; `grown` upserts, one by one, come before the last of them."""
    with embassay.open(folder / ".embassay") as home:
        docs = home.set("docs")
        docs.upsert([{"id": "warm", "text": "warm up"}], model=model)
        rows = bulk(docs, texts, engine)
        rows += singles(docs, folder / ".embassay", "")
        rows += asyncio.run(searches(docs, texts))
        for number in range(grown):
            docs.upsert([{"id": f"grown/{number % 500}", "text": f"{texts[number % len(texts)]} {number}"}])
        rows += singles(docs, folder / ".embassay", f" after {grown:,} of them")
    return rows


def bulk(docs: embassay.EmbeddingSet, texts: list[str], engine: LocalEmbedder) -> list[Row]:
    """Seconds of `upsert`, against those of the engine alone for the same texts, at its speed before and after."""
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    engine.embed(sample[:512], "document")

    def bare() -> tuple[float, float]:
        seconds, cpu = used(lambda: sum(len(block) for block in engine.stream(iter(sample), "document")))
        return seconds / len(sample), cpu / len(sample)

    before = bare()
    ours, cpu = used(lambda: docs.upsert({"id": str(at), "text": text} for at, text in enumerate(texts)))
    after = bare()
    alone, cpu_alone = ((one + other) / 2 * len(texts) for one, other in zip(before, after, strict=True))
    what = f"{len(texts):,} records of {WORDS} words, share of the bare engine's time"
    return [
        at_most(what, ours / alone, 1.15),
        Row("seconds: records, bare engine", ours, alone, ours / alone, "s", "reported", None),
        Row("CPU seconds: records, bare engine", cpu, cpu_alone, cpu / cpu_alone, "s", "reported", None),
    ]


def used(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and CPU seconds of this process, which other processes beside it do not change as much."""
    cpu = time.process_time()
    return timed(work), time.process_time() - cpu


WATCHER = """
import sys, time, embassay
with embassay.open(sys.argv[1]) as home:
    docs = home.set("docs")
    docs.search("warm up", mode="lexical")
    print("ready", flush=True)
    for word in sys.stdin:
        while not docs.search(word.strip(), k=1, mode="lexical").hits:
            pass
        print(time.time(), flush=True)
"""


def singles(docs: embassay.EmbeddingSet, home: Path, when: str) -> list[Row]:
    """Milliseconds from the call of an upsert until another process finds the record, and those of the call alone."""
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert watcher.stdin and watcher.stdout
    watcher.stdout.readline()
    found, calls = [], []
    for number in range(SINGLES):
        word = f"zq{random.randrange(10**12)}"
        watcher.stdin.write(word + "\n")
        watcher.stdin.flush()
        time.sleep(0.2)
        started = time.time()
        docs.upsert([{"id": f"single/{number}", "text": f"the word is {word}"}])
        calls.append((time.time() - started) * 1000)
        found.append((float(watcher.stdout.readline()) - started) * 1000)
    watcher.stdin.close()
    watcher.wait()
    return [
        at_most(f"one upsert until another process finds it{when}", median(found), 100, "ms"),
        Row(f"one upsert, the call alone{when}", median(calls), None, None, "ms", "reported", None),
    ]


async def searches(docs: embassay.EmbeddingSet, texts: list[str], *, rounds: int = 4) -> list[Row]:
    """Searches a second, 64 at once and one after another, and what the slowest of those at once take."""
    queries = [" ".join(text.split()[:6]) for text in texts[:AT_ONCE]]
    await docs.asearch(queries[0])
    one_by_one, together = [], []
    took: list[float] = []

    async def ask(query: str) -> None:
        started = time.perf_counter()
        await docs.asearch(query)
        took.append((time.perf_counter() - started) * 1000)

    for _ in range(rounds):
        started = time.perf_counter()
        for query in queries:
            docs.search(query)
        one_by_one.append(time.perf_counter() - started)
        started = time.perf_counter()
        await asyncio.gather(*(ask(query) for query in queries))
        together.append(time.perf_counter() - started)
    ours, theirs = len(queries) / median(together), len(queries) / median(one_by_one)
    took.sort()
    return [
        at_least(f"{len(queries)} searches at once against one after another", ours / theirs, 1.2, "x"),
        Row("searches a second: at once, one after another", ours, theirs, ours / theirs, "1/s", "reported", None),
        Row("of those at once, p99", took[int(len(took) * 0.99)], None, None, "ms", "reported", None),
    ]


def at_once(folder: Path, seconds: float) -> list[Row]:
    """Eight processes upsert and delete the same ids for so long while four search, and some are killed."""
    found = stressed(folder, seconds, kills=max(1, round(seconds / 10)))
    for said in (*found.errors, *found.wrong):
        print(json.dumps(said), file=sys.stderr)
    return [
        at_most("records that are not what a serial model says", len(found.wrong), 0),
        at_most("errors", len(found.errors), 0),
        at_most("doubled rows", found.doubled, 0),
        Row(f"calls in {seconds:g} s", found.calls, None, None, "", "reported", None),
        Row("searches meanwhile", found.searches, None, None, "", "reported", None),
        Row("writers killed", found.killed, None, None, "", "reported", None),
        Row("records that they left half written", found.unfinished, None, None, "", "reported", None),
    ]


if __name__ == "__main__":
    main()
