"""The first run of a set that fails leaves no set behind, and what a later one needs is not in its way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.errors import KeyMissing, ProviderError, SpaceMismatch
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from tests.servers import Answer, hash_openai, serving

PRICE = 1000.0


def settings(url: str, **more: object) -> dict[str, object]:
    base = {
        "provider": "openai", "model_id": "m", "base_url": f"{url}/v1", "api_key": "sk-test-key-0000", "retries": 0,
        "usd_per_million_tokens": PRICE, "max_tokens": 512, "canaries": False,
    }  # fmt: skip
    return base | more


def home(folder: Path, model: dict[str, object], cap: float | None = None) -> embassay.Home:
    config = Config(embeddings=EmbeddingsConfig(models={"served": model}, spend_cap_usd=cap))
    session = Session(config, cache_file=folder / ".embassay" / "cache.db")
    return embassay.Home(HomeFolder(folder / ".embassay"), session)


FAILURES = {
    "a wrong key": Answer({"error": {"message": "no such key"}}, status=401),
    "another model": Answer({"error": {"message": "no model m"}}, status=404),
    "a failure": Answer(b"", status=500),
    "no whole answer": Answer(b"{}" * 40, cut=10),
}


@pytest.mark.parametrize("canaries", [True, False])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_first_request_that_fails(failure, canaries, docs):
    """Dimensions are known, so that nothing but the first text asks the service where there are no canaries."""
    answer = FAILURES[failure]
    with serving(lambda _: answer) as server:
        served = settings(server.url, canaries=canaries, card="openai/text-embedding-3-small")
        with home(docs.parent, served) as opened:
            with pytest.raises(ProviderError):
                opened.index([docs], model="served")
            assert not opened.holds("default")
            with pytest.raises(ProviderError):
                opened.set("faq").add([{"id": "1", "text": "a text"}], model="served")
            assert not opened.holds("faq")
            opened.index([docs], model="hash/64")
            assert opened.search("rotate a key").hits


def test_a_run_without_a_key(docs, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for canaries in (True, False):
        served = {"provider": "openai", "model_id": "text-embedding-3-small", "canaries": canaries}
        with home(docs.parent, served) as opened:
            with pytest.raises(KeyMissing):
                opened.index([docs], model="served")
            assert not opened.holds("default")


def test_what_a_killed_first_run_left_gives_way(docs):
    """It is an empty set of another model."""
    with home(docs.parent, {"provider": "hash", "model_id": "64"}) as opened:
        empty = docs.parent / "empty"
        empty.mkdir()
        opened.index([empty], model="hash/128")
        assert opened.holds("default")
        opened.index([docs], model="hash/64")
        assert opened.search("rotate a key").hits
        with pytest.raises(SpaceMismatch):
            opened.index([docs], model="hash/128")


def test_a_stop_at_the_cap_leaves_what_was_paid_for_searchable(docs, monkeypatch):
    """As a user sees it: an exit code, a sentence that says what to do, and a set that answers."""
    for at in range(60):
        (docs / f"note{at}.md").write_text(f"# Note {at}\n\nThe panel votes on proposal number {at} in March.\n")
    monkeypatch.setenv("EMBASSAY_CONFIG", str(docs.parent / "embassay.yaml"))  # named, and so the user's own
    with serving(hash_openai(64)) as server:
        (docs.parent / "embassay.yaml").write_text(
            json.dumps({"embeddings": {"spend_cap_usd": 1.0, "models": {"served": settings(server.url, batch_size=4)}}})
        )

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "embassay.cli.main", *words]
            return subprocess.run(command, cwd=docs.parent, capture_output=True, text=True, check=False)

        first = run("index", "docs", "--model", "served", "--json")
        error = json.loads(first.stdout)["error"]
        assert first.returncode == 1 and error["code"] == "spend_cap_reached"
        assert "a month is reached" in error["message"] and "spend_cap_usd" in error["remedy"]
        spent = json.loads(run("status", "--json").stdout)["spending"]
        assert 0.5 < spent["spent_usd"] <= 1.0 and spent["left_usd"] == pytest.approx(1.0 - spent["spent_usd"])
        assert spent["entries"][0]["purpose"] == "index"
        found = run("search", "proposal in March", "--mode", "lexical", "--json")
        assert found.returncode == 0 and json.loads(found.stdout)["hits"]
        again = run("index", "docs", "--model", "served")
        assert again.returncode == 1, "a later run of the month has no money of its own"
        assert json.loads(run("status", "--json").stdout)["spending"]["spent_usd"] <= 1.0
        assert "of $1 a month is left" in run("status").stdout
        assert "of $1 a month is left" in run("cost").stdout
