"""Search over 107,525 rows in process, query embedding included, and how exact it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np

import embassay
from benchmarks.common import DATA, Peer, Row, arguments, at_least, at_most, jsonl, median, report, stored, timed
from benchmarks.ingest import GLOSSES_HOME, index_anew
from embassay.sets.folder import HomeFolder
from embassay.stores.values import Collection

QUERIES = 300


def main() -> None:
    chosen = arguments(__doc__)
    if not GLOSSES_HOME.is_dir():
        index_anew(DATA / "wordnet-glosses" / "corpus.jsonl", GLOSSES_HOME)
    queries = [row["text"] for row in jsonl("scifact/queries.jsonl")][: QUERIES // 2]
    queries += [row["text"] for row in jsonl("xquad/en/queries.jsonl")][: QUERIES // 2]
    with embassay.open(GLOSSES_HOME) as home:
        rows = latency(home, queries, Peer)
        rows += exactness(home, queries)
    report("search", rows, chosen.json)


def latency(home: embassay.Home, queries: list[str], peers: Callable[[], Peer]) -> list[Row]:
    """Milliseconds. The peer embeds the query with sentence-transformers and scans the same vectors with numpy."""
    _, vectors = stored(home)
    times: dict[str, list[float]] = {"hybrid": [], "dense": [], "lexical": [], "peer": []}
    home.search("warm up")
    for mode in ("hybrid", "dense", "lexical"):
        for query in queries:
            times[mode].append(timed(lambda query=query, mode=mode: home.search(query, mode=mode)) * 1000)  # type: ignore[misc]
    with peers() as peer:  # started only now: its threads go on spinning beside ours
        for query, vector in zip(queries, vectors, strict=False):
            embedding = float(peer.ask(texts=[query])["seconds"]) * 1000
            scan = timed(lambda vector=vector: np.argsort(-(vectors @ vector))[:10]) * 1000  # type: ignore[misc]
            times["peer"].append(embedding + scan)
    theirs = median(times["peer"])
    p95 = float(np.percentile(times["hybrid"], 95))
    return [
        at_most(f"hybrid p50 over {len(vectors):,} rows", median(times["hybrid"]), 15, "ms", theirs),
        at_most("hybrid p95", p95, 30, "ms", float(np.percentile(times["peer"], 95))),
        Row("dense p50", median(times["dense"]), theirs, median(times["dense"]) / theirs, "ms", "reported", None),
        Row("lexical p50", median(times["lexical"]), None, None, "ms", "reported", None),
    ]


def exactness(home: embassay.Home, queries: list[str]) -> list[Row]:
    """Recall@10 of the dense arm as it is, and of the ANN index that larger sets get."""
    chunks, vectors = stored(home)
    made = home.embed(queries, "query").vectors
    truth = [{chunks[i].key for i in np.argpartition(-(vectors @ q), 10)[:10]} for q in made]
    found = [{hit.chunk.key for hit in home.search(query, mode="dense").hits} for query in queries]
    recall = float(np.mean([len(a & b) / 10 for a, b in zip(truth, found, strict=True)]))
    rows = [at_least("dense recall@10 against exact search", recall, 0.99)]
    return rows + ann(home, made, truth)


def ann(home: embassay.Home, queries: np.ndarray, truth: list[set[str]]) -> list[Row]:
    """The same rows under the index that sets above the in-memory limit have."""
    from embassay.stores.backends import lance

    with closing(HomeFolder(home.folder).state()) as state:
        generation = state.live("default")
    settings = replace(lance.settings_in(home.folder), exact_bytes=0)
    store = lance.open_store(
        settings,
        Collection.single(generation.name, generation.space.dimensions, similarity=generation.space.similarity),
    )
    try:
        store.optimise(thorough=True)
        snapshot = store.snapshot()
        hits, times = [], []
        for query in queries:
            times.append(timed(lambda query=query: snapshot.dense(query, 100)) * 1000)  # type: ignore[misc]
            hits.append({chunk.key for chunk in snapshot.fetch([s.ref for s in snapshot.dense(query, 10)])})
        recall = float(np.mean([len(a & b) / 10 for a, b in zip(truth, hits, strict=True)]))
        return [
            at_least("ANN index: recall@10 against exact search", recall, 0.99),
            Row("ANN index: p50 for 100 rows", median(times), None, None, "ms", "reported", None),
        ]
    finally:
        store._table.drop_index("vector_idx")


if __name__ == "__main__":
    main()
