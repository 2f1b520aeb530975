"""The commands around models, as people and programs see them."""

from __future__ import annotations

import json
import os
import re

import pytest

from embassay.cli.words import part_of
from embassay.errors import UsageError
from tests.cli.test_cli import run
from tests.servers import hash_openai, serving

CONFIG = """
embeddings:
  default_model: tiny
  models:
    tiny: {{provider: hash, dimensions: 64}}
    other: {{provider: hash, dimensions: 128}}
    served: {{provider: openai, model_id: m, base_url: "{url}", api_key: "${{MY_KEY}}", max_tokens: 512, retries: 0, usd_per_million_tokens: 0.5}}
    keyless: {{provider: openai, model_id: text-embedding-3-small}}
    written: {{provider: openai, model_id: m, base_url: "http://127.0.0.1:9/v1", api_key: sk-in-the-file, retries: 0}}
  fallback_chain: [written, other]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project whose configuration the user has named: it may refer to secrets."""
    (tmp_path / "embassay.yaml").write_text(CONFIG.format(url="http://127.0.0.1:9/v1"))
    monkeypatch.setenv("EMBASSAY_CONFIG", str(tmp_path / "embassay.yaml"))
    return tmp_path


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("MY_KEY", "sk-secret-1")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_list_is_a_list_of_cards(tmp_path):
    _, out, err = run("models", "list", "--json", cwd=tmp_path, check=0)
    cards = json.loads(out)
    assert len(cards) >= 60 and not err
    assert {
        "id",
        "dimensions",
        "max_tokens",
        "prompts",
        "licence",
        "commercial",
        "languages",
        "scores",
        "sources",
    } <= set(cards[0])
    _, out, _ = run("models", "list", "--rerankers", "--json", cwd=tmp_path, check=0)
    assert len(json.loads(out)) >= 8


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        (["--provider", "voyage"], lambda c: "voyage" in c["provider_ids"]),
        (["--open"], lambda c: "local" in c["provider_ids"]),
        (["--max-mb", "500"], lambda c: c["size_mb"] <= 500),
        (["--language", "de"], lambda c: "de" in c["languages"] or "multilingual" in c["languages"]),
        (["--mrl"], lambda c: c["matryoshka"] or c["matryoshka_range"]),
    ],
)
def test_list_filters(tmp_path, arguments, check):
    cards = json.loads(run("models", "list", *arguments, "--json", cwd=tmp_path, check=0)[1])
    assert cards and all(check(card) for card in cards)


def test_list_for_people(tmp_path):
    _, out, _ = run("models", "list", "--open", "--max-mb", "100", cwd=tmp_path, check=0)
    assert "sentence-transformers/all-MiniLM-L6-v2" in out and "42.0" in out
    _, out, _ = run("models", "list", "--open", "--max-mb", "1", cwd=tmp_path, check=0)
    assert out.strip() == "No model of the catalog is all that."


def test_show(place):
    _, out, _ = run("models", "show", "intfloat/e5-small-v2", cwd=place, check=0)
    assert "query 'query: '" in out and "passage: " in out
    assert (
        json.loads(run("models", "show", "keyless", "--json", cwd=place, check=0)[1])["id"]
        == "openai/text-embedding-3-small"
    )
    _, _, err = run("models", "show", "intfloat/e5-smal-v2", cwd=place, check=1)
    assert "Did you mean 'intfloat/e5-small-v2'?" in err
    _, _, err = run("models", "show", "tiny", cwd=place, check=1)
    assert "no card knows what it runs" in err


def test_show_reads_a_model_without_a_card(tmp_path):
    from tests.tiny import CASES, write_model

    write_model(tmp_path / "a/b", CASES["bert"])
    card = json.loads(run("models", "show", "./a/b", "--json", cwd=tmp_path, check=0)[1])
    assert (card["dimensions"], card["licence"], card["commercial"]) == (32, "", None)
    assert "No card" in card["notes"]


def test_recommend_json(tmp_path, docs):
    _, out, _ = run(
        "models", "recommend", "--privacy", "--language", "en", "--cpu", "--max-latency-ms", "20", "--rerank", "llm",
        "--docs", docs, "--json", cwd=tmp_path, check=0,
    )  # fmt: skip
    advice = json.loads(out)
    assert {"recommended", "specialists", "excluded", "limits", "next", "machine"} <= set(advice)
    assert {"name": "latency", "limit": "at most 20 ms a query", "asked": True} in advice["limits"]
    assert {"name": "code", "limit": "no code from a model's repository", "asked": False} in advice["limits"]
    assert all(score["source"] for pick in advice["recommended"] for score in pick["scores"])
    assert {"id", "why", "storage_bytes_per_million", "usd_per_million_tokens"} <= set(advice["recommended"][0])
    assert {"id", "why"} == set(advice["excluded"][0])
    assert advice["next"].startswith("embassay compare ")
    assert not any(pick["id"].startswith(("openai/", "voyage/")) for pick in advice["recommended"])


def test_recommend_for_people(tmp_path):
    _, out, _ = run("models", "recommend", "--domain", "legal", cwd=tmp_path, check=0)
    assert "Measure the first picks on your own" in out and "embassay compare " in out
    assert "fine-tuning" in out.lower()
    assert "Limits applied:" in out and "150 ms" in out and "voyage/voyage-law-2" in out
    assert re.search(r"measured on \d{4}-\d\d-\d\d|not here to measure", out)
    _, out, _ = run("models", "recommend", "--domain", "code", "--hosted", cwd=tmp_path, check=0)
    assert "mistral/codestral-embed" in out, "made for it, without a score that compares"
    _, _, err = run("models", "recommend", "--domain", "lawyers", cwd=tmp_path, check=2)
    assert "code, legal, long, medical" in err
    _, out, _ = run("models", "recommend", "--max-mb", "1", "--no-api", cwd=tmp_path, check=0)
    assert "No model meets all of that" in out
    _, _, err = run("models", "recommend", "--rerank", "magic", cwd=tmp_path, check=2)
    assert "not one of none, llm, cross-encoder" in err


def test_recommend_sizes_an_index(tmp_path):
    call = [
        "models",
        "recommend",
        "--chunks",
        "10M",
        "--qps",
        "5",
        "--latency-ms",
        "400",
        "--hosted",
        "--min-tokens",
        "1000",
    ]
    month = ["--updates-per-month", "10%", "--queries-per-month", "1000000"]
    found = json.loads(run(*call, *month, "--json", cwd=tmp_path, check=0)[1])
    assert found["recommended"] and found["recommended"][0]["sizing"]["vectors"]["float32"] >= 10_000_000 * 4 * 256
    for pick in found["recommended"]:
        price = pick["usd_per_million_tokens"]
        assert found["monthly_usd"][pick["id"]] == pytest.approx((256 + 16) * price), "256 and 16 million tokens"
    assert any(one["why"].startswith("min tokens: it reads 512") for one in found["excluded"])
    _, out, _ = run(*call, *month, cwd=tmp_path, check=0)
    assert "10,000,000 chunks, 5 queries a second, within 400 ms" in out and "A month" in out
    for wrong in (["--qps", "5"], ["--chunks", "some"], ["--chunks", "1k", "--qps", "0"], ["--updates-per-month", "200%"],
                  ["--queries-per-month", "-1"], ["--min-tokens", "0"]):  # fmt: skip
        run("models", "recommend", *wrong, cwd=tmp_path, check=2)


def test_probe(place):
    with serving(hash_openai(64)) as server:
        (place / "embassay.yaml").write_text(CONFIG.format(url=f"{server.url}/v1"))
        found = json.loads(run("models", "probe", "served", "--json", cwd=place, check=0)[1])
        assert found["health"]["ok"] and found["dimensions"] == 64
        assert found["warnings"] == ["No card describes this model: its limits and prompts are assumed, not known."]
        assert all(r.headers["authorization"] == "Bearer sk-secret-1" for r in server.received)
    code, out, _ = run("models", "probe", "served", cwd=place)
    assert code == 1 and "did not answer" in out
    code, out, _ = run("models", "probe", "keyless", cwd=place)
    assert code == 1 and "export OPENAI_API_KEY=..." in out


def test_probe_sees_a_role_that_changes_nothing(place):
    """A service that forgets the prompts of its model: the most common defect of all."""
    with serving(hash_openai(1024)) as server:
        (place / "embassay.yaml").write_text(
            f"embeddings: {{models: {{v: {{provider: voyage, model_id: voyage-3.5, base_url: '{server.url}', api_key: k}}}}}}"
        )
        found = json.loads(run("models", "probe", "v", "--json", cwd=place, check=0)[1])
    assert "prompts are not applied" in " ".join(found["warnings"])


def test_probe_and_runs_name_the_card_of_a_served_model(place, docs):
    (place / "docs").mkdir(exist_ok=True)
    (place / "docs" / "a.md").write_text("Rotate the key.\n")
    with serving(hash_openai(384)) as server:
        (place / "embassay.yaml").write_text(
            "embeddings: {default_model: e, models: {e: {provider: openai, model_id: multilingual-e5-small, "
            f"base_url: '{server.url}/v1'}}}}}}"
        )
        found = json.loads(run("models", "probe", "e", "--json", cwd=place, check=0)[1])
        (said,) = [warning for warning in found["warnings"] if "card: intfloat/multilingual-e5-small" in warning]
        assert "came out alike as query and as document" in said
        _, out, err = run("index", "docs", "--json", "--home", ".embassay", cwd=place, check=0)
        (notice,) = json.loads(out)["notices"]
        assert "card: intfloat/multilingual-e5-small" in notice and "card: intfloat/multilingual-e5-small" in err
        _, out, _ = run("config", "check", "--json", cwd=place, check=0)
        assert "card: intfloat/multilingual-e5-small" in out


def test_cost_json(place, docs):
    _, out, _ = run("cost", docs, "-m", "sentence-transformers/all-MiniLM-L6-v2", "-m", "openai/text-embedding-3-large",
                    "--monthly-change", "10%", "--json", cwd=place, check=0)  # fmt: skip
    cost = json.loads(out)
    local, hosted = cost["models"]
    assert cost["monthly_change"] == 0.1
    for row in (local, hosted):
        assert {"chunks", "tokens", "usd", "seconds", "bytes"} == set(row["first"]) == set(row["monthly"])
    assert local["tokens_exact"] and local["first"]["usd"] == 0
    assert not hosted["tokens_exact"] and hosted["token_error"] == 0.25
    assert hosted["first"]["usd"] == pytest.approx(hosted["first"]["tokens"] * 0.13 / 1e6, abs=1e-6)
    assert hosted["first"]["tokens"] == pytest.approx(local["first"]["tokens"], rel=0.4)


def test_cost_puts_one_model_beside_another(place, docs):
    _, out, _ = run("cost", docs, cwd=place, check=0)
    assert "tiny" in out and "openai/text-embedding-3-small" in out and "estimated, within about 25%" in out
    for share, value in (("5%", 0.05), ("0.05", 0.05), ("100%", 1.0), ("0", 0.0)):
        assert part_of(share, "change") == value
    for share in ("-1", "120%", "some"):
        with pytest.raises(UsageError):
            part_of(share, "change")


def test_config_show_and_check(place):
    _, out, _ = run("config", "show", cwd=place, check=0)
    assert "sk-in-the-file" not in out and "********" in out and "${MY_KEY}" in out
    shown = json.loads(run("config", "show", "--json", cwd=place, check=0)[1])
    assert shown["embeddings"]["default_model"] == "tiny" and shown["file"].endswith("embassay.yaml")
    code, out, _ = run("config", "check", "--json", cwd=place)
    rows = {row["name"]: row for row in json.loads(out)["models"]}
    assert code == 1
    assert "needs a key" in rows["keyless"]["problem"]
    assert rows["tiny"]["problem"] == ""
    assert "The key stands in the file" in " ".join(rows["written"]["notes"])
    assert "sk-in-the-file" not in out


def test_a_wrong_configuration_is_one_line(place):
    (place / "embassay.yaml").write_text("embeddings: {modles: {}}")
    for command in (["config", "check"], ["embed", "-c", "x", "--role", "query"], ["models", "list"]):
        _, _, err = run(*command, cwd=place, check=2)
        assert "Did you mean 'models'?" in err and len(err.strip().splitlines()) == 1


def test_cache_commands(place):
    with serving(hash_openai(64)) as server:
        (place / "embassay.yaml").write_text(CONFIG.format(url=f"{server.url}/v1"))
        for _ in range(2):
            _, out, err = run(
                "embed", "-c", "one", "-c", "two", "--role", "query", "-m", "served", "--json", cwd=place, check=0
            )
        usage = json.loads(out)["usage"]
        assert usage["cached"] == 2 and usage["requests"] == 0
        assert "2 from the cache" in err
    stats = json.loads(run("cache", "stats", "--json", cwd=place, check=0)[1])
    assert stats["entries"] == 2 and stats["hits"] == 2
    assert stats["path"] == os.path.join(place, "xdg", "embassay", "cache.db")
    assert json.loads(run("cache", "prune", "--max-gb", "0", "--json", cwd=place, check=0)[1])["removed"] == 2
    _, _, err = run("cache", "clear", cwd=place, check=2)
    assert "--yes" in err
    cleared = json.loads(run("cache", "clear", "--yes", "--json", cwd=place, check=0)[1])
    assert cleared == {"path": stats["path"]}
    assert "0 vectors" in run("cache", "stats", cwd=place, check=0)[1]


def test_embed_files_and_fallback(place, docs):
    _, out, _ = run("embed", "--files", f"{docs}/**/*.md", "--role", "document", "--json", cwd=place, check=0)
    made = json.loads(out)
    assert made["model"] == "hash/64" and len(made["embeddings"]) >= 2
    _, _, err = run("embed", "--files", "none/*.md", "--role", "document", cwd=place, check=2)
    assert "no file matches" in err
    _, _, err = run("embed", "-c", "x", "--role", "query", "--fallback", cwd=place, check=1)
    assert "every model of the chain failed: written: " in err and "--allow-other-space" in err
    _, out, _ = run(
        "embed", "-c", "x", "--role", "query", "--fallback", "--allow-other-space", "--json", cwd=place, check=0
    )
    assert json.loads(out)["model"] == "other" and len(json.loads(out)["embeddings"][0]) == 128


def test_compare(place, tmp_path):
    from pathlib import Path

    judged = Path(__file__).parents[2] / "examples" / "judged"
    code, out, _ = run("compare", "tiny", "other", "keyless", "--judged", judged, "--json", cwd=place)
    data = json.loads(out)
    assert code == 1
    assert [row["name"] for row in data["candidates"]] == ["tiny", "other", "keyless"]
    assert "needs a key" in data["candidates"][2]["error"] and not data["candidates"][0]["error"]
    assert set(data["candidates"][0]["metrics"]) == {"nDCG@10", "R@100", "RR@10"}


def test_a_hosted_set_refuses_the_answers_of_another_model(place, docs):
    with serving(hash_openai(64)) as server:
        (place / "embassay.yaml").write_text(CONFIG.format(url=f"{server.url}/v1"))
        report = json.loads(run("index", "docs", "-m", "served", "--json", cwd=docs.parent, check=0)[1])
        assert report["usd"] > 0 and report["cached"] == 0
        again = json.loads(run("index", "docs", "-m", "served", "--set", "two", "--json", cwd=docs.parent, check=0)[1])
        assert again["cached"] == again["embedded"] == report["embedded"] and again["usd"] == 0
        _, _, err = run("index", "docs", "-m", "other", cwd=docs.parent, check=1)
        assert "--set NAME" in err
        server.handle = hash_openai(32)
        code, _, err = run("search", "never asked", "--mode", "dense", cwd=docs.parent)
        assert code == 1 and "the vectors have 32 dimensions, expected 64" in err and "another model" in err


def test_who_answered_in_the_place_of_a_model_is_told(place):
    (place / "embassay.yaml").write_text(
        "embeddings: {fallback_chain: [down, spare], models: {down: {provider: openai, model_id: m, retries: 0, "
        "base_url: 'http://127.0.0.1:9/v1'}, spare: {provider: hash, dimensions: 64}}}"
    )
    _, out, err = run(
        "embed", "-c", "a text", "--role", "query", "--fallback", "--allow-other-space", "--json", cwd=place, check=0
    )
    made = json.loads(out)
    (notice,) = made["notices"]
    assert made["model"] == "spare" and notice.startswith("down did not answer (") and "another space" in notice
    assert notice in err


@pytest.mark.parametrize(
    "given",
    [
        ("docs", "--queries-per-month", "5"),
        ("docs", "--gain", "tiny=3"),
        ("--value-per-point", "5"),
        ("--model", "tiny"),
    ],
    ids=" ".join,
)
def test_cost_refuses_what_it_would_ignore(given, place, docs):
    code, out, err = run("cost", *[docs if word == "docs" else word for word in given], cwd=place)
    assert (code, out) == (2, "") and err.startswith(f"embassay: {given[-2].strip('-')} is ")
