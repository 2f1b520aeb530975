"""Vectors of the hot index: how fast they are searched, how exactly, and what they take on disk and in memory.

Ours and the peers take turns; absolute times stand beside what sentence-transformers takes to embed one query in the
same run, so that a busy machine shows. The peers hold the same vectors: numpy multiplies all of them, and LanceDB
searches its own table of them, exactly as well.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import embassay
from benchmarks.common import (
    DATA,
    MODEL,
    WORK,
    Peer,
    Row,
    arguments,
    at_least,
    at_most,
    glosses,
    jsonl,
    median,
    report,
    timed,
)
from embassay.stores.hot.vectors import VectorPart
from embassay.stores.values import VectorSpec

ROUNDS = 9
DIMENSIONS = 384
SPEC = VectorSpec(DIMENSIONS)
TOP = 100
"""Rows that an arm of a hybrid search asks for."""
MIXED = 150_000
CENTRES, CENTRE_SEED, ROW_SEED, QUERY_SEED = 4000, 7, 8, 9
FALL = 170
"""Of the generator: after so many dimensions the spread of a number has fallen to 1/e. The variances then add up as
those of all-MiniLM-L6-v2 do on the glosses: a third of the dimensions holds three quarters, two thirds hold 0.96."""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    rounds: int
    queries: int
    glosses: int
    mixed: int
    million: int


FULL = Size(ROUNDS, 40, 107_525, MIXED, 1_000_000)


def main() -> None:
    chosen = arguments(__doc__)
    rows = real(FULL, Peer) + million(FULL)
    report("hot_vectors", rows, chosen.json, peer="numpy")


def real(size: Size, peers: Callable[[], Peer]) -> list[Row]:
    """The glosses; the same and other texts, by one thread."""
    queries = embedded("queries", lambda: questions(size.queries), "query")
    defined = embedded("glosses", lambda: glosses()[: size.glosses], "document")
    mixed = np.concatenate([defined, embedded("others", lambda: others(size.mixed - size.glosses), "document")])
    with peers() as peer:
        rows = searched(f"{len(defined):,} glosses", defined, queries, size, peer, bar=None)
        with one_processor():
            rows += searched(f"{len(mixed):,} texts, one thread", mixed, queries, size, peer, bar=3)
    return rows


def searched(
    what: str, vectors: np.ndarray, queries: np.ndarray, size: Size, peer: Any, bar: float | None
) -> list[Row]:
    """Milliseconds for the best `TOP`, of ours, numpy and LanceDB in turns; recall; bytes."""
    folder = WORK / "hot"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept = folder / "rows.npy"
    np.save(kept, vectors)
    VectorPart.write(folder, "part", [vectors], SPEC, files=[kept])
    part, table = VectorPart(folder, "part", SPEC), lance_table(folder, vectors)
    searches: dict[str, Callable[[np.ndarray], object]] = {
        "ours": lambda query: part.search(query, TOP),
        "numpy": lambda query: np.argpartition(-(vectors @ query), TOP)[:TOP],
        "lancedb": lambda query: (
            table.search(query).distance_type("dot").limit(TOP).select(["row", "_distance"]).to_arrow()
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in (*searches, "peer")}
    for _ in range(size.rounds):
        for name, search in searches.items():
            some = queries if name == "ours" else queries[:10]
            times[name].append(median([timed(lambda q=q, s=search: s(q)) for q in some]) * 1000)  # type: ignore[misc]
        times["peer"].append(float(peer.ask(texts=["how do I rotate a key"])["seconds"]) * 1000)
    ours, scanned, lance, one_query = (median(times[name]) for name in (*searches, "peer"))
    own = sum(file.stat().st_size for file in folder.glob("part.*")) / len(vectors)
    return [
        Row(f"{what}: top {TOP}, p50", ours, scanned, ours / scanned, "ms", "reported", None)
        if bar is None
        else at_most(f"{what}: top {TOP}, p50", ours, bar, "ms", scanned),
        Row(f"{what}: the same, LanceDB's exact search", lance, scanned, lance / scanned, "ms", "reported", None),
        Row(f"{what}: sentence-transformers embeds one query", one_query, None, None, "ms", "reported", None),
        *[
            at_least(f"{what}: recall@{k}", recall(part, vectors, queries, k), 0.999)
            for k in (10, 100, 1000)
            if k < len(vectors)
        ],
        Row(f"{what}: bytes a row beside the rows", own, 4 * DIMENSIONS, own / 4 / DIMENSIONS, "B", "reported", None),
    ]


def recall(part: VectorPart, vectors: np.ndarray, queries: np.ndarray, k: int) -> float:
    """Of the k best rows, the share that is found."""
    shares = []
    for query in queries:
        best = np.argpartition(-(vectors @ query), k)[:k]
        shares.append(len(np.intersect1d(best, part.search(query, k)[0])) / k)
    return float(np.mean(shares))


def million(size: Size) -> list[Row]:
    """Clustered rows: building, searching and memory, each in a process of its own."""
    folder = WORK / "hot-million"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        queries = next(clustered(size.queries, QUERY_SEED))
        best = generate(folder / "rows.npy", size.million, queries)
        built = apart(build, folder)
        found = apart(search_built, folder, queries, best)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    what = f"{size.million:,} clustered rows"
    return [
        at_most(f"{what}: build", built["seconds"], 120, "s"),
        Row(f"{what}: build, CPU", built["cpu"], None, None, "s", "reported", None),
        at_most(f"{what}: top 10, p50", found["p50"], 10, "ms", found["numpy"]),
        Row(f"{what}: top {TOP}, p50", found["p50 of 100"], None, None, "ms", "reported", None),
        Row(f"{what}: top 10, p50, one thread", found["p50 of one thread"], None, None, "ms", "reported", None),
        at_least(f"{what}: recall@10", found["recall"], 0.99),
        at_most(f"{what}: resident", found["own"] + found["mapped"], 700, "MB"),
        Row(f"{what}: of it mapped from files", found["mapped"], None, None, "MB", "reported", None),
    ]


def build(folder: Path) -> dict[str, float]:
    """Write the part, whose exact rows stay in the file that holds them."""
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    cpu = os.times()
    seconds = timed(
        lambda: VectorPart.write(
            folder,
            "part",
            (np.asarray(rows[at : at + 8192]) for at in range(0, len(rows), 8192)),
            SPEC,
            files=[folder / "rows.npy"],
        )
    )
    return {"seconds": seconds, "cpu": os.times().user - cpu.user}


def search_built(folder: Path, queries: np.ndarray, best: list[set[int]]) -> dict[str, float]:
    """Milliseconds, recall@10, and megabytes of this process."""
    part = VectorPart(folder, "part", SPEC)
    shares = [len(truth & set(part.search(q, 10)[0].tolist())) / 10 for q, truth in zip(queries, best, strict=True)]
    found = {"recall": float(np.mean(shares)), "p50": p50(part, queries, 10), "p50 of 100": p50(part, queries, TOP)}
    with one_processor():
        found["p50 of one thread"] = p50(part, queries, 10)
    found["own"], found["mapped"] = resident("RssAnon"), resident("RssFile")
    rows = np.load(folder / "rows.npy")
    found["numpy"] = median([timed(lambda q=q: rows @ q) for q in queries[:5]]) * 1000  # type: ignore[misc]
    return found


def p50(part: VectorPart, queries: np.ndarray, k: int) -> float:
    """Milliseconds: the median of `ROUNDS` rounds over the queries."""
    rounds = [median([timed(lambda q=q: part.search(q, k)) for q in queries]) for _ in range(ROUNDS)]  # type: ignore[misc]
    return median(rounds) * 1000


def resident(kind: str) -> float:
    """Megabytes of this process, as Linux counts them."""
    found = re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def apart(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """What it answers in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def generate(file: Path, count: int, queries: np.ndarray) -> list[set[int]]:
    """Write the rows, and say which ten are the best for each query."""
    rows = np.lib.format.open_memmap(file, "w+", np.float32, (count, DIMENSIONS))
    scores, named, at = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64), 0
    for block in clustered(count, ROW_SEED):
        rows[at : at + len(block)] = block
        scores = np.concatenate([scores, queries @ block.T], axis=1)
        named = np.concatenate([named, np.broadcast_to(np.arange(at, at + len(block)), (len(queries), len(block)))], 1)
        best = np.argsort(-scores, axis=1)[:, :10]
        scores, named = np.take_along_axis(scores, best, 1), np.take_along_axis(named, best, 1)
        at += len(block)
    rows.flush()
    return [set(row.tolist()) for row in named]


def clustered(count: int, seed: int, block: int = 20_000) -> Iterator[np.ndarray]:
    """Rows of length 1 around centres of which few are frequent and most are rare, in blocks."""
    spread = np.exp(-np.arange(DIMENSIONS) / FALL).astype(np.float32)
    centres = np.random.default_rng(CENTRE_SEED).standard_normal((CENTRES, DIMENSIONS), np.float32) * spread
    often = 1 / np.arange(1, CENTRES + 1)
    rng = np.random.default_rng(seed)
    for at in range(0, count, block):
        size = min(block, count - at)
        rows = rng.standard_normal((size, DIMENSIONS), np.float32) * spread * np.float32(0.8)
        rows += np.float32(0.6) * centres[rng.choice(CENTRES, size, p=often / often.sum())] + np.float32(0.05)
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True)


def lance_table(folder: Path, vectors: np.ndarray) -> Any:
    """The same vectors as LanceDB keeps them, without an index."""
    import lancedb
    import pyarrow as pa

    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSIONS)
    rows = pa.table({"row": np.arange(len(vectors)), "vector": column})
    return lancedb.connect(str(folder / "lance")).create_table("vectors", rows)


def questions(count: int) -> list[str]:
    """Half of them claims of SciFact, half questions of XQuAD."""
    found = [[row["text"] for row in jsonl(f"{name}/queries.jsonl")] for name in ("scifact", "xquad/en")]
    return found[0][: count // 2] + found[1][: count - count // 2]


def others(count: int) -> list[str]:
    """Questions to a bank, pages of commands, and sentences of abstracts."""
    texts = []
    for name in ("train", "test"):
        with (DATA / "banking77" / f"{name}.csv").open(encoding="utf-8") as stream:
            texts += [row["text"] for row in csv.DictReader(stream)]
    with tarfile.open(DATA / "docs" / "tldr-en.tar.gz") as pages:
        for page in sorted(name for name in pages.getnames() if name.endswith(".md")):
            opened = pages.extractfile(page)
            texts += [opened.read().decode("utf-8")] if opened else []
    for row in jsonl("scifact/corpus.jsonl"):
        texts += [sentence for sentence in re.split(r"(?<=[.!?])\s+", row["text"]) if len(sentence) > 40]
    return texts[:count]


def embedded(name: str, texts: Callable[[], list[str]], role: Any) -> np.ndarray:
    """Vectors of texts; they are kept, because to make them takes minutes."""
    file = WORK / f"hot-{name}.npy"
    if not file.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        np.save(file, embassay.embed(texts(), role, model=MODEL).vectors)
    found: np.ndarray = np.load(file)
    return found


@contextmanager
def one_processor() -> Iterator[None]:
    """No more than one of the processors is used meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
