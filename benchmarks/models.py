"""Any model behind one contract: what the contract itself costs, and what the cache saves."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import (
    DATA,
    MODEL,
    ROOT,
    WORK,
    Row,
    arguments,
    at_least,
    at_most,
    exact_texts,
    glosses,
    median,
    report,
    timed,
)
from embassay.embedders.base import Embedder
from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.providers.local import open_local
from embassay.embedders.providers.openai import Settings, open_api
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.coalesced import Coalesced
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.models.cache import VectorCache
from embassay.types import Embeddings, OnLong, Role

ROUNDS = 200


def main() -> None:
    chosen = arguments(__doc__)
    texts, engine = glosses()[:1000], open_local(MODEL)
    rows = [
        *hashing(texts),
        *cache_hits(texts, exact_texts(engine.tokens, 250, 200), engine, WORK),
        *indexing_twice([DATA / "docs" / name for name in ("fastapi", "rust-book", "httpx")], WORK / "twice"),
        *http_overhead(),
        *in_flight(),
        *coalescing(texts[:50], engine, WORK),
        *start_up(WORK),
    ]
    report("models", rows, chosen.json)


def hashing(texts: list[str], *, rounds: int = 50) -> list[Row]:
    embedder = HashEmbedder(384)
    embedder.embed(texts, "document")
    ours = median([timed(lambda: embedder.embed(texts, "document")) for _ in range(rounds)])
    peer = median([timed(lambda: naive_hashes(texts)) for _ in range(3)])
    rate, rate_of_peer = len(texts) / ours, len(texts) / peer
    return [
        at_least("hash provider, batches of 1,000 (peer: one by one)", rate, 50_000, "texts/s", rate_of_peer),
        at_most("hash provider, one batch of 1,000", ours * 1e3, 50, "ms", peer * 1e3),
    ]  # fmt: skip


def naive_hashes(texts: list[str]) -> np.ndarray:
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") for text in texts]
    made = np.stack([np.random.default_rng(seed).standard_normal(384, np.float32) for seed in seeds])
    normalised: np.ndarray = made / np.linalg.norm(made, axis=1, keepdims=True)
    return normalised


def cache_hits(texts: list[str], long: list[str], engine: Embedder, place: Path) -> list[Row]:
    """Short texts are the engine's most favourable case."""
    cached = Cached(engine, Keeper(fresh_cache(place / "hits.db")))
    cached.embed(texts, "document")
    ours = median([timed(lambda: cached.embed(texts, "document")) for _ in range(20)])
    peer = median([timed(lambda: engine.embed(texts, "document")) for _ in range(5)])
    cached.embed(long, "document")
    long_ours = median([timed(lambda: cached.embed(long, "document")) for _ in range(20)])
    long_peer = timed(lambda: engine.embed(long, "document"))
    return [
        at_most("cache hits, 1,000 short texts (peer: the engine)", ours * 1e3, 15, "ms", peer * 1e3),
        at_least("times as fast as the engine, short texts", peer / ours, 50),
        at_least("times as fast as the engine, 250-token texts", long_peer / long_ours, 50),
    ]


def fresh_cache(file: Path) -> VectorCache:
    cache = VectorCache(file)
    cache.clear()
    return cache


def indexing_twice(folders: Sequence[Path], work: Path) -> list[Row]:
    """Between the runs all but the cache is deleted."""
    from embassay.config.values import Config, EmbeddingsConfig
    from embassay.home import Home
    from embassay.session import Session
    from embassay.sets.folder import HomeFolder

    place = work / ".embassay"
    shutil.rmtree(place.parent, ignore_errors=True)
    place.mkdir(parents=True)
    models = {"minilm": {"provider": "local", "model_id": MODEL, "cache_enabled": True}}
    config = Config(embeddings=EmbeddingsConfig(default_model="minilm", models=models))

    def run() -> tuple[float, int]:
        with Session(config, cache_file=place / "cache.db") as session, Home(HomeFolder(place), session) as home:
            home.embed(["warm up"], "query", set="default") if home.folder.joinpath("state.db").exists() else None
            embedded = 0

            def work() -> None:
                nonlocal embedded
                embedded = home.index(folders).embedded

            return timed(work), embedded

    first, chunks = run()
    seconds = []
    for _ in range(3):
        for entry in place.iterdir():
            if not entry.name.startswith("cache.db"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        seconds.append(run()[0])
    again = median(seconds)
    return [
        at_least(f"index {chunks:,} chunks again from the cache, store deleted: times as fast", first / again, 20),
        Row("seconds: from the cache, at first", again, first, again / first, "s", "reported", None),
    ]


@contextmanager
def zero_server(count: int, form: str, pause: float = 0.0) -> Iterator[int]:
    command = [sys.executable, str(ROOT / "benchmarks" / "zero_server.py"), str(count), form, str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def http_overhead(*, rounds: int = ROUNDS) -> list[Row]:
    """Our call against the bare exchange of the same bytes with the standard library's client."""
    texts = [f"a short text, number {i}" for i in range(32)]
    rows = []
    for form in ("base64", "float"):
        with zero_server(32, form) as port:
            settings = Settings(
                model_id="m", base_url=f"http://127.0.0.1:{port}/v1", encoding_format=form, max_tokens=512
            )
            embedder = HttpEmbedder(open_api(settings, None))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            body = json.dumps({"model": "m", "input": texts, "encoding_format": form})
            embedder.embed(texts, "document")
            ours, bare = [], []
            for _ in range(rounds):
                ours.append(timed(partial(embedder.embed, texts, "document")))
                bare.append(timed(partial(exchange, connection, body)))
            overhead, alone = (median(ours) - median(bare)) * 1e3, median(bare) * 1e3
            rows.append(
                at_most(f"overhead of a request of 32 texts, {form} (peer: bytes alone)", overhead, 1.0, "ms", alone)
            )
    return rows  # fmt: skip


def exchange(connection: http.client.HTTPConnection, body: str) -> bytes:
    connection.request("POST", "/v1/embeddings", body, {"Content-Type": "application/json"})
    return connection.getresponse().read()


def in_flight(*, count: int = 64, pause: float = 0.1) -> list[Row]:
    """A server that takes a while over each text, asked by one connection and by eight."""
    texts = [f"text {i}" for i in range(count)]
    with zero_server(1, "float", pause=pause) as port:
        times = {}
        for concurrency in (1, 8):
            settings = Settings(
                model_id="m",
                base_url=f"http://127.0.0.1:{port}/v1",
                batch_size=1,
                concurrency=concurrency,
                max_tokens=512,
            )
            embedder = HttpEmbedder(open_api(settings, None))
            embedder.embed(texts[:1], "document")
            times[concurrency] = timed(partial(embedder.embed, texts, "document"))
    return [at_least("64 texts, 8 connections, 100 ms server: times as fast as one", times[1] / times[8], 5)]


class Counting(Wrapper):
    """Counts the texts that reach the engine."""

    def __init__(self, inner: object) -> None:
        super().__init__(inner)  # type: ignore[arg-type]
        self.count = 0
        self._lock = threading.Lock()

    def embed(self, texts: list[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:  # type: ignore[override]
        with self._lock:
            self.count += len(texts)
        return self.inner.embed(texts, role, on_long)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        for block in self.inner.stream(texts, role, on_long):
            self.count += len(block)
            yield block


def coalescing(texts: list[str], engine: Embedder, place: Path, *, calls: int = 1000) -> list[Row]:
    """Many that ask for few distinct texts at once."""
    counting = Counting(engine)
    embedder = Coalesced(Cached(counting, Keeper(fresh_cache(place / "coalesced.db"))))

    async def all_at_once() -> None:
        await asyncio.gather(*(embedder.aembed([texts[i % len(texts)]], "query") for i in range(calls)))

    seconds = timed(lambda: asyncio.run(all_at_once()))
    peer = timed(lambda: [engine.embed([texts[i % len(texts)]], "query") for i in range(calls)])
    what = f"{calls:,} concurrent embeds of {len(texts)} distinct texts: engine computations"
    return [
        at_most(what, counting.count, len(texts)),
        Row("seconds of it (peer: one by one, bare engine)", seconds, peer, seconds / peer, "s", "reported", None),
    ]  # fmt: skip


START = """
import sys, time
started = time.perf_counter()
import msgspec, yaml, embassay
imported = time.perf_counter()
from embassay.models.registry import Registry
models = Registry()
ready = time.perf_counter()
heavy = [name for name in ("openvino", "httpx", "numpy", "torch", "lancedb") if name in sys.modules]
print((ready - imported) * 1e3, (imported - started) * 1e3, len(models.names()), ",".join(heavy) or "nothing")
"""


def start_up(place: Path, *, rounds: int = 9) -> list[Row]:
    """In a fresh process: the registry and the providers it names, beside embassay and its two parsers themselves."""
    folder = place / "sixty"
    folder.mkdir(exist_ok=True)
    kinds = ["local", "openai", "cohere", "voyage", "google", "mistral", "jina", "ollama", "tei", "hash"]
    lines = [f"    model-{i}: {{provider: {kinds[i % 10]}, model_id: m{i}, cache_ttl: 30d}}" for i in range(60)]
    (folder / "embassay.yaml").write_text("embeddings:\n  models:\n" + "\n".join(lines) + "\n")
    env = {**os.environ, "EMBASSAY_CONFIG": str(folder / "embassay.yaml")}
    found = []
    for _ in range(rounds):
        answer = subprocess.run([sys.executable, "-c", START], env=env, capture_output=True, text=True, check=True)
        ready, imports, count, heavy = answer.stdout.split()
        assert (count, heavy) == ("60", "nothing"), answer.stdout
        found.append((float(ready), float(imports)))
    ready_ms, imports_ms = (median([pair[i] for pair in found]) for i in (0, 1))
    return [at_most("registry of 60 models (peer: importing embassay, msgspec, yaml)", ready_ms, 50, "ms", imports_ms)]


if __name__ == "__main__":
    main()
