"""Search over 107,525 rows in process, query embedding included, and how exact it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import embassay
from benchmarks.common import (
    DATA,
    WORK,
    Peer,
    Row,
    arguments,
    at_least,
    at_most,
    faster,
    jsonl,
    median,
    report,
    stored,
    timed,
)
from benchmarks.ingest import GLOSSES_HOME, index_anew
from embassay.sets.folder import HomeFolder
from embassay.stores.values import Collection

if TYPE_CHECKING:
    from embassay.stores.backends._lance_store import LanceStore

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
    """Milliseconds. The peer embeds the query with sentence-transformers and scans the same vectors with numpy.

    Ours come first: neither the library that reads all vectors for the peer nor its threads are in the process by then.
    """
    times: dict[str, list[float]] = {"hybrid": [], "dense": [], "lexical": [], "peer": []}
    home.search("warm up")
    for mode in ("hybrid", "dense", "lexical"):
        for query in queries:
            times[mode].append(timed(lambda query=query, mode=mode: home.search(query, mode=mode)) * 1000)  # type: ignore[misc]
    _, vectors = stored(home)
    with peers() as peer:
        for query, vector in zip(queries, vectors, strict=False):
            embedding = float(peer.ask(texts=[query])["seconds"]) * 1000
            scan = timed(lambda vector=vector: np.argsort(-(vectors @ vector))[:10]) * 1000  # type: ignore[misc]
            times["peer"].append(embedding + scan)
    theirs = median(times["peer"])
    p95 = float(np.percentile(times["hybrid"], 95))
    return [
        at_most(f"hybrid p50 over {len(vectors):,} rows", median(times["hybrid"]), 6, "ms", theirs),
        at_most("hybrid p95", p95, 10, "ms", float(np.percentile(times["peer"], 95))),
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
    rows = [at_least("dense recall@10 against exact search", recall, 0.999)]
    return rows + ann(home, queries, made, truth)


def ann(home: embassay.Home, texts: list[str], queries: np.ndarray, truth: list[set[str]]) -> list[Row]:
    """The same rows under the indexes of LanceDB, which sets beyond what a hot index takes have; and a hybrid query of
    LanceDB's own over them, beside ours without embedding the query."""
    from embassay.stores.backends import lance

    with closing(HomeFolder(home.folder).state()) as state:
        generation = state.live("default")
    copy = WORK / "lancedb"
    shutil.rmtree(copy, ignore_errors=True)
    ours = lance.settings_in(home.folder)
    shutil.copytree(ours.folder / f"{generation.name}.lance", copy / f"{generation.name}.lance")
    settings = replace(ours, folder=copy, exact_bytes=0)
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
        hot, near, exact = hybrid_of_both(home, store, texts, queries)
        what = "hybrid of given query vectors against LanceDB's own"
        return [
            faster(f"{what}, exact as ours", 1000 / hot, 1000 / exact, 4, "queries/s"),
            faster(f"{what}, with its ANN index", 1000 / hot, 1000 / near, 4, "queries/s"),
            at_least("ANN index: recall@10 against exact search", recall, 0.99),
            Row("ANN index: p50 for 100 rows", median(times), None, None, "ms", "reported", None),
        ]
    finally:
        store.close()
        shutil.rmtree(copy)


def hybrid_of_both(
    home: embassay.Home, store: LanceStore, texts: list[str], queries: np.ndarray
) -> tuple[float, float, float]:
    """Milliseconds of a hybrid search with a query vector that is there already, interleaved: ours, LanceDB's with its
    index of vectors, and LanceDB's without. LanceDB joins the ten best of either side; ours a hundred."""
    from embassay.search.context import Context
    from embassay.search.modes import pipeline
    from embassay.search.run import run
    from embassay.stores.backends._lance_rows import TERMS

    def lancedb(text: str, vector: np.ndarray, *, exact: bool = False) -> None:
        terms = " ".join(store.collection.analyser.query(text))
        search = store._table.search(query_type="hybrid", vector_column_name="vector", fts_columns=TERMS.name)
        search = search.vector(vector).text(terms).limit(10)
        (search.bypass_vector_index() if exact else search).to_arrow()

    with home._sets.index(home.default_set) as index, ExitStack() as held:
        version, usual = index.snapshots(held)[home.default_set], pipeline()
        ours, near, exact = [], [], []
        for text, vector in zip(texts, queries, strict=True):
            context = Context(text, lambda: version, lambda *_, vector=vector: vector)
            ours.append(timed(lambda context=context: run(usual, context)) * 1000)  # type: ignore[misc]
            near.append(timed(partial(lancedb, text, vector)) * 1000)
            exact.append(timed(partial(lancedb, text, vector, exact=True)) * 1000)
    return median(ours), median(near), median(exact)


if __name__ == "__main__":
    main()
