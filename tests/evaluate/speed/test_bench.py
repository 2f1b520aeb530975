"""The speed benchmark: real processes, real figures, no promise about time."""

import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.evaluate.speed.bench import Benchmark, _cut, bench, check_threads, measure
from embassay.models.registry import Registry
from tests.conftest import DEFAULT
from tests.servers import hash_openai, serving


def test_a_local_model(docs, monkeypatch):
    monkeypatch.chdir(docs.parent)
    found = bench(Benchmark(f"{DEFAULT}@int8", 1, ("docs",), (8, 32), 3))
    assert not found["error"] and found["precision"] == "int8" and found["threads"] == 1
    times = found["query_ms"]
    assert times["n"] == 200 and 0 < times["p50"] <= times["p95"] <= times["p99"]
    assert [batch["tokens"] for batch in found["batches"]] == [8, 32]
    for batch in [*found["batches"], found["documents"]]:
        speed = batch["texts_per_second"]
        assert 0 < speed["low"] <= speed["median"] <= speed["high"] and speed["rounds"] == 3
    assert found["batches"][0]["tokens_per_second"]["median"] == pytest.approx(
        8 * found["batches"][0]["texts_per_second"]["median"], rel=0.5
    )
    assert found["peak_mb"] > 50 and found["usd_per_million_tokens"] == 0


def test_a_model_that_fails_says_why():
    found = bench(Benchmark("./nowhere", rounds=3))
    assert "nowhere" in found["error"] and found["query_ms"] is None


def test_a_hosted_model_is_asked_little(monkeypatch, tmp_path, docs):
    """A dozen queries, the sample three times, and never the cache."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-0000")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with serving(hash_openai(64)) as server:
        (tmp_path / "embassay.yaml").write_text(
            f"embeddings: {{models: {{svc: {{provider: openai, model_id: m, base_url: '{server.url}/v1'}}}}}}"
        )
        for _ in range(2):
            server.received.clear()
            found = measure(Benchmark("svc", docs=(str(docs),)))
            assert not found["error"] and found["query_ms"]["n"] == 12 and found["batches"] == []
            sent = sum(len(r.json["input"]) for r in server.received if r.method == "POST")
            assert 12 < sent < 60
            assert found["documents"]["texts_per_second"]["rounds"] == 3


def test_modules_of_the_working_folder_are_not_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "statistics.py").write_text("raise SystemExit(7)\n")
    assert not bench(Benchmark("hash/64", lengths=(8,), rounds=3))["error"]


def test_a_process_that_dies(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert "ended with 1" in bench(Benchmark("hash/64"))["error"]


def test_texts_of_a_length(minilm):
    for length in (8, 16, 64, 250):
        texts = _cut(minilm, length, 40)
        counts = minilm.tokens.count(texts)
        assert len(set(texts)) > 20 and np.abs(np.array(counts) - length).max() <= 2


def test_threads():
    with pytest.raises(UsageError, match="cores"):
        check_threads([10_000])
    with pytest.raises(UsageError, match="cores"):
        check_threads([0])


def test_uncached_keeps_the_cap(tmp_path):
    from embassay.config.reading import load_config
    from embassay.embedders.wrap.capped import Capped
    from embassay.embedders.wrap.wrapper import uncached

    file = tmp_path / "embassay.yaml"
    file.write_text(
        "embeddings: {spend_cap_usd: 1, models: {svc: {provider: openai, model_id: text-embedding-3-small}}}"
    )
    with Registry(load_config(file, env={}), cache_file=tmp_path / "c.db") as registry:
        assert isinstance(uncached(registry.get("svc")), Capped)
        assert uncached(registry.get("hash/64")) is not registry.get("hash/64")
