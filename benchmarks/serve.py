"""The server under load from `wrk`, beside FastAPI with sentence-transformers and beside the engine in process.

The servers, the engine and `wrk` share the cores of this machine; they take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

import embassay
from benchmarks.common import (
    DATA,
    MODEL,
    Peer,
    Row,
    arguments,
    at_most,
    faster,
    jsonl,
    median,
    passages,
    report,
    timed,
)
from benchmarks.ingest import GLOSSES_HOME, index_anew
from benchmarks.load import Load, Requests, Target, needs_wrk, peer_served, served, wrk

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder

CLIENTS, SECONDS = 32, 5.0
WORDS = 12
"""Of a short text: about 18 tokens."""
TEXTS = 4096
ROUNDS_OF_ONE, CALLS = 9, 40
BATCH, BATCHES, BATCH_CLIENTS = 32, 48, 4
SEARCHERS, SEARCHES = 8, 500


def main() -> None:
    chosen = arguments(__doc__)
    needs_wrk()
    with TemporaryDirectory() as folder, embassay.Registry() as models:
        engine = models.get(MODEL)
        with served(Path(folder) / ".embassay") as ours, peer_served() as theirs:
            rows = [*many_clients(ours, theirs, chosen.rounds), *one_client(ours, engine, Peer)]
            rows += batches(ours, engine, chosen.rounds)
    rows += search(questions(), chosen.rounds)
    report("serve", rows, chosen.json)


def short_texts() -> Requests:
    """One short text each."""
    return Requests("/v1/embeddings", [json.dumps({"input": text}) for text in passages(WORDS, TEXTS)])


def many_clients(ours: Target, theirs: Target, rounds: int) -> Iterator[Row]:
    """Many clients with one short text each: as fast as it goes, and at half of that."""
    requests = short_texts()
    for target in (ours, theirs):
        wrk(target, requests, clients=4, seconds=1)
    full, peer, half = [], [], []
    for _ in range(rounds):
        full.append(wrk(ours, requests, clients=CLIENTS, seconds=SECONDS))
        half.append(wrk(ours, requests, clients=CLIENTS, seconds=SECONDS, pause_ms=_pause_for_half(full[-1])))
        peer.append(wrk(theirs, requests, clients=CLIENTS, seconds=SECONDS))
    what = f"{CLIENTS} clients, one short text each"
    rate = _median(full, lambda load: load.rate)
    yield faster(what, rate, _median(peer, lambda load: load.rate), 5, "requests/s")
    yield _cpu(f"{what}: CPU of the server", full, peer)
    yield Row(f"{what}: p95", *_beside(full, peer, lambda load: load.p95), "ms", "reported", None)
    share = _median(half, lambda load: load.rate) / rate
    yield at_most(f"p95 at {share:.0%} of that rate", _median(half, lambda load: load.p95), 40, "ms")
    yield at_most("errors", sum(load.errors for load in (*full, *half)), 0)


def one_client(ours: Target, engine: Embedder, peers: Callable[[], Peer]) -> Iterator[Row]:
    """One query of one client, beside a call in process and one of sentence-transformers."""
    queries = passages(WORDS, ROUNDS_OF_ONE * CALLS)
    bodies = [json.dumps({"input": query, "input_type": "query"}) for query in queries]
    requests = Requests("/v1/embeddings", bodies)
    engine.embed(["the first query"], "query")
    served_ms, inside_ms, peer_ms = [], [], []
    with peers() as peer:
        peer.ask(texts=["the first query"])
        for at in range(ROUNDS_OF_ONE):
            few = queries[at * CALLS : (at + 1) * CALLS]
            served_ms.append(wrk(ours, requests, clients=1, seconds=1).p50)
            inside_ms.append(median([timed(lambda q=query: engine.embed([q], "query")) for query in few]) * 1e3)  # type: ignore[misc]
            peer_ms.append(median([float(peer.ask(texts=[query])["seconds"]) for query in few]) * 1e3)
    more = median([one - other for one, other in zip(served_ms, inside_ms, strict=True)])
    mine, inside, theirs = median(served_ms), median(inside_ms), median(peer_ms)
    yield Row(
        "one client, one query (peer: in process, no server)", mine, theirs, mine / theirs, "ms", "reported", None
    )
    yield at_most("one query: more than in process (beside: in process)", more, 2.5, "ms", inside)


def batches(ours: Target, engine: Embedder, rounds: int) -> Iterator[Row]:
    """CPU seconds for texts that come in batches, of the server and of the engine in process."""
    texts = passages(WORDS, BATCH * BATCHES)
    lists = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    for kind in ("float", "base64"):
        bodies = [json.dumps({"input": one, "encoding_format": kind}) for one in lists]
        loads, inside = [], []
        for _ in range(rounds):
            loads.append(wrk(ours, Requests("/v1/embeddings", bodies), clients=BATCH_CLIENTS, seconds=SECONDS))
            started = time.process_time()
            for one in lists:
                engine.embed(one, "document")
            inside.append((time.process_time() - started) * 1e3 / len(lists))
        more = median([load.cpu_ms / own - 1 for load, own in zip(loads, inside, strict=True)])
        spent = _median(loads, lambda load: load.cpu_ms)
        own = median(inside)
        what = f"batches of {BATCH} as {kind} (beside: in process)"
        yield Row(f"{what}: CPU", spent, own, spent / own, "ms", "reported", None)
        yield at_most(f"batches of {BATCH} as {kind}: CPU beyond the engine's", more * 100, 10, "%")


def questions() -> list[str]:
    """Of two judged sets; over 107,525 rows that are indexed first, where they are not."""
    if not GLOSSES_HOME.is_dir():
        index_anew(DATA / "wordnet-glosses" / "corpus.jsonl", GLOSSES_HOME)
    return [row["text"] for name in ("scifact", "xquad/en") for row in jsonl(f"{name}/queries.jsonl")][:1000]


def search(queries: list[str], rounds: int, home: Path = GLOSSES_HOME) -> Iterator[Row]:
    """The default search, by so many clients at once, and by as many threads in process."""
    requests = Requests("", [f"/api/v1/search?q={quote(query)}" for query in queries], "GET")
    loads, inside, spent = [], [], []
    with served(home) as target, embassay.open(home) as opened, ThreadPoolExecutor(SEARCHERS) as pool:
        wrk(target, requests, clients=SEARCHERS, seconds=1)
        list(pool.map(opened.search, queries[:50]))
        for at in range(rounds):
            few = [queries[number % len(queries)] for number in range(at * SEARCHES, (at + 1) * SEARCHES)]
            loads.append(wrk(target, requests, clients=SEARCHERS, seconds=SECONDS))
            cpu = time.process_time()
            inside.append(len(few) / timed(lambda few=few: list(pool.map(opened.search, few))))  # type: ignore[misc]
            spent.append((time.process_time() - cpu) * 1e3 / len(few))
    what = f"search, {SEARCHERS} clients (peer: in process)"
    yield faster(what, _median(loads, lambda load: load.rate), median(inside), 0.8, "searches/s")
    mine, own = _median(loads, lambda load: load.cpu_ms), median(spent)
    yield Row(f"{what}: CPU", mine, own, mine / own, "ms", "reported", None)
    yield Row(f"{what}: p95", _median(loads, lambda load: load.p95), None, None, "ms", "reported", None)
    yield at_most("search: errors", sum(load.errors for load in loads), 0)


def _pause_for_half(load: Load) -> float:
    """Milliseconds after each answer with which so many clients ask half as often, if the answers come at once."""
    return max(1.0, CLIENTS / (load.rate / 2) * 1e3 - load.p50 / 4)


def _median(loads: list[Load], value: Callable[[Load], float]) -> float:
    return median([value(load) for load in loads])


def _beside(ours: list[Load], theirs: list[Load], value: Callable[[Load], float]) -> tuple[float, float, float]:
    mine, other = _median(ours, value), _median(theirs, value)
    return mine, other, mine / max(other, 1e-9)


def _cpu(what: str, ours: list[Load], theirs: list[Load]) -> Row:
    return Row(what, *_beside(ours, theirs, lambda load: load.cpu_ms), "ms", "reported", None)


if __name__ == "__main__":
    main()
