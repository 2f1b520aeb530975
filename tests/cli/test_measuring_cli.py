"""judge, compare, eval, bench and similarity as people and programs use them."""

import json

import pytest

from tests.cli.test_cli import run
from tests.evaluate.judge.chat_server import agreeing
from tests.servers import serving

WORKERS = "\n\n".join(
    f"## Procedure for machine {name}\n\nThe {name} is started by hand after two valves were opened and the pressure "
    f"was read. Whoever starts the {name} signs the list of unit {at} and tells the night shift about it."
    for at, name in enumerate(
        "pump boiler turbine furnace compressor mixer press lathe crane winch drill saw kiln loom mill oven lift tank "
        "fan belt forge grinder welder sifter roller".split()
    )
)


@pytest.fixture
def judged(project):
    """A project whose judged set has enough queries for a verdict."""
    (project / "docs" / "machines.md").write_text(f"# Machines\n\n{WORKERS}\n")
    run("judge", "new", "docs", "--out", "judged", cwd=project, check=0)
    return project


def test_judge_new(project):
    (project / "docs" / "machines.md").write_text(f"# Machines\n\n{WORKERS}\n")
    _, out, _ = run("judge", "new", "docs", "--out", "judged", "-n", 5, "--json", cwd=project, check=0)
    made = json.loads(out)
    assert set(made) == {"judged", "documents", "queries", "added", "sources", "notes"}
    assert made["queries"] == made["added"] == sum(made["sources"].values())
    _, out, _ = run("judge", "new", "docs", "--out", "judged", "-n", 5, cwd=project, check=0)
    assert "0 of them new" in out and "Next: embassay judge check judged" in out
    _, out, _ = run("judge", "new", "docs", "--out", "judged", "-n", 9, "--json", cwd=project, check=0)
    assert json.loads(out)["queries"] == 9 and json.loads(out)["added"] == 4
    (project / "docs" / "machines.md").write_text(f"# Machines\n\n{WORKERS}\n\nOne more line.\n")
    code, _, err = run("judge", "new", "docs", "--out", "judged", "-n", 5, cwd=project)
    assert code == 2 and "--force" in err
    code, _, err = run("judge", "new", "docs", "--out", "j3", "--llm", "m", "--from", "x.jsonl", cwd=project)
    assert code == 2 and "leave --from" in err


def test_judge_new_by_hand(project):
    _, out, _ = run("judge", "new", "docs", "--out", "judged", "-n", 0, cwd=project, check=0)
    assert "judge add" in out
    arguments = ("judge", "add", "judged", "--query", "old keys", "--relevant", "docs/keys.md#L5-5")
    _, out, _ = run(*arguments, "--json", cwd=project, check=0)
    assert json.loads(out)["relevant"][0].startswith("docs/keys.md#L")
    code, _, err = run("judge", "add", "judged", "-q", "x y", "-r", "docs/kyes.md", cwd=project)
    assert code == 2 and "Did you mean 'docs/keys.md'?" in err
    _, out, _ = run("judge", "check", "judged", "--json", cwd=project, check=0)
    assert json.loads(out)["queries"] == 1


def test_judge_new_from_labels(project):
    (project / "own.jsonl").write_text(
        '{"query": "old keys", "relevant_docs": ["docs/keys.md"]}\n{"query": "gone", "clicked": ["docs/none.md"]}\n'
    )
    _, out, err = run("judge", "new", "docs", "--out", "judged", "--from", "own.jsonl", cwd=project, check=0)
    assert "1 query (1 label)" in out and "1 place of own.jsonl" in err
    (project / "own.jsonl").write_text('{"query": "old keys"\n')
    code, _, err = run("judge", "new", "docs", "--out", "other", "--from", "own.jsonl", cwd=project)
    assert code == 2 and "own.jsonl:1: expected" in err


def test_judge_new_with_a_chat_model(project):
    handle = agreeing('<think>hm</think>{"questions": ["how are old keys handled?"]}')
    (project / "docs" / "long.md").write_text(
        "# Long\n\n" + "Keys that are old stay valid for one more day after that. " * 6
    )
    with serving(handle) as server:
        options = ("--llm", "m", "--llm-url", server.url, "--llm-price", "1,2", "-n", 3)
        code, _, err = run("judge", "new", "docs", "--out", "judged", *options, cwd=project)
        assert code == 2 and "Pass --yes" in err and not server.received, "nobody agreed to the cost"
        options = (*options, "--yes")
        _, out, err = run("judge", "new", "docs", "--out", "judged", *options, cwd=project, check=0)
        assert "is asked about 1 passage in 2 messages:" in err and "$0.000" in err and "1 llm" in out
        sent = len(server.received)
        run("judge", "new", "docs", "--out", "judged", *options, cwd=project, check=0)
        assert len(server.received) == sent, "an answer is paid for once"
    code, _, err = run("judge", "new", "docs", "--out", "j2", "--llm", "m", cwd=project, env={"OPENAI_API_KEY": ""})
    assert code == 1 and "OPENAI_API_KEY" in err


def test_judge_check_fails_loudly_on_leakage(judged):
    (judged / "judged" / "qrels" / "train.tsv").write_bytes((judged / "judged" / "qrels" / "test.tsv").read_bytes())
    code, out, _ = run("judge", "check", "judged", cwd=judged)
    assert code == 1 and "problem: " in out and "are in 'train' too" in out


def test_compare(judged):
    arguments = ("compare", "../model@dense", "../model@lexical", "--judged", "judged")
    _, out, _ = run(*arguments, "--report", "report.html", "--json", cwd=judged, check=0)
    data = json.loads(out)
    assert set(data) == {
        "judged", "digest", "queries", "basis", "documents", "candidates", "pairs", "verdict", "winner", "headline",
        "reason", "caution", "next", "min_effect", "sure", "detectable_effect", "origins", "slices", "robustness",
        "changed",
    }  # fmt: skip
    assert set(data["candidates"][0]) == {
        "name", "space", "space_digest", "pipeline", "metrics", "intervals", "latency_ms", "texts_per_second",
        "tokens_per_second", "bytes_per_million", "usd_per_million_tokens", "truncated_share", "reranking", "error",
    }  # fmt: skip
    assert set(data["pairs"][0]) == {
        "a", "b", "metric", "difference", "interval", "p", "p_uncorrected", "deviation", "wins", "ties", "losses",
        "win_share", "win_interval", "verdict", "reason", "queries_needed",
    }  # fmt: skip
    assert data["verdict"] == "switch" and data["winner"] == "../model@lexical", "a random model knows nothing"
    assert "<!doctype html>" in (judged / "report.html").read_text()
    _, out, _ = run(*arguments, cwd=judged, check=0)
    assert "Switch to ../model@lexical on made-up queries." in out and "Queries that changed most" in out
    assert "of those that differ it wins" in " ".join(out.split()) and "made-up queries (" in out
    _, out, _ = run(*arguments, "--by", "length", "--by", "source", "--robustness", cwd=judged, check=0)
    assert "By length" in out and "By source" in out and "typos" in out
    code, _, err = run(*arguments, "--by", "colour", cwd=judged)
    assert code == 2 and "has 'colour'" in err
    _, out, _ = run(*arguments, "--max-p95-ms", 0, cwd=judged, check=0)
    assert "Keep ../model@dense" in out and "over budget" in out


def test_pipelines_are_candidates(judged):
    zscored = "../model@lexical(50) | dense(50) >> zscore"
    _, out, _ = run("compare", "../model@dense", zscored, "--judged", "judged", "--json", cwd=judged, check=0)
    rows = json.loads(out)["candidates"]
    assert [row["name"] for row in rows] == ["../model@dense", zscored]
    assert rows[1]["pipeline"] == "lexical(50) | dense(50) >> zscore(0.5) >> top(10)"
    code, _, err = run("compare", "../model", "../model@dense(50) >> tpo(3)", "--judged", "judged", cwd=judged)
    assert code == 2 and "character 14" in err and "Did you mean 'top'?" in err
    _, out, _ = run(
        "eval", "judged", "--model", "../model", "--pipeline", zscored.partition("@")[2], "--json", cwd=judged, check=0
    )
    assert json.loads(out)["metrics"]["nDCG@10"] == rows[1]["metrics"]["nDCG@10"]
    code, _, err = run("eval", "judged", "--pipeline", "dense(5)", "--mode", "dense", cwd=judged)
    assert code == 2 and "Leave --mode and --fusion out." in err


def test_compare_says_what_it_needs(judged):
    for arguments, message in (
        (("a/b", "c/d"), "--judged DIR"),
        (("../model", "--judged", "judged"), "two different candidates"),
        (
            ("../model", "../model@rrf", "--judged", "judged", "--metric", "best"),
            "the metric 'best' cannot be computed",
        ),
        (("--set-a", "x", "--queries", "q.txt"), "q.txt cannot be read"),
        (("../model", "../model@lexical", "--judged", "nowhere"), "embassay judge new"),
    ):
        code, _, err = run("compare", *arguments, cwd=judged)
        assert code == 2 and message in err, err


def test_compare_names_the_row_that_failed(judged):
    code, _, err = run("compare", "../model", "minilm@foo", "--judged", "judged", cwd=judged)
    assert code == 2 and "minilm@foo" in err and "hybrid" in err
    code, out, _ = run("compare", "../model@lexical", "./gone", "--judged", "judged", cwd=judged)
    assert code == 1 and "./gone failed:" in out and "Undecided on made-up queries." in out


def test_compare_sets(indexed):
    run("index", "docs", "--model", "hash/64", "--set", "words", cwd=indexed, check=0)
    (indexed / "saved.txt").write_text("rotate a key\nproxy server\n")
    arguments = ("compare", "--set-a", "default", "--set-b", "words", "--queries", "saved.txt")
    _, out, _ = run(*arguments, "--json", cwd=indexed, check=0)
    data = json.loads(out)
    assert data["verdict"] == "undecided" and set(data["agreement"]) == {"overlap@10", "same_first"}
    _, out, _ = run(*arguments, cwd=indexed, check=0)
    assert "They share" in out and "Nobody has judged" in out
    code, _, err = run(*arguments, "--report", "r.html", cwd=indexed)
    assert code == 2 and "a report needs judged queries" in err
    run("index", "docs/network", "--model", "hash/64", "--set", "less", cwd=indexed, check=0)
    code, _, err = run("compare", "default", "less", "--queries", "saved.txt", cwd=indexed)
    assert code == 2 and "different documents: 4 only in 'default'" in err


def test_gates(judged):
    arguments = ("eval", "judged", "--model", "../model", "--mode", "lexical")
    _, out, _ = run(*arguments, "--json", cwd=judged, check=0)
    (judged / "baseline.json").write_text(out)
    against = ("--baseline", "baseline.json", "--junit", "gates.xml")
    _, out, _ = run(*arguments, *against, "--gate", "nDCG@10 >= 0.3, drop <= 0.02", cwd=judged, check=0)
    assert out.count("holds") == 2
    code, out, _ = run(
        "eval",
        "judged",
        "--model",
        "../model",
        "--mode",
        "dense",
        *against,
        "--gate",
        "drop <= 0.02",
        "--json",
        cwd=judged,
    )
    assert code == 4
    (gate,) = json.loads(out)["gates"]
    assert set(gate) == {"gate", "value", "ok", "detail"} and not gate["ok"]
    assert 'failures="1"' in (judged / "gates.xml").read_text()
    code, _, err = run(*arguments, *against, "--gate", "upper(drop) <= 0.1", cwd=judged)
    assert code == 2 and "--per-query" in err
    _, out, _ = run(*arguments, "--per-query", "--json", cwd=judged, check=0)
    (judged / "baseline.json").write_text(out)
    gate = "lower(nDCG@10) >= 0.3, upper(drop) <= 0.1, lower(drop) >= 0"
    _, out, _ = run(*arguments, *against, "--gate", gate, cwd=judged, check=0)
    assert out.count("holds") == 3 and "95 % interval" in out and "95 % from" in out
    code, _, err = run(*arguments, "--gate", "drop <= 0.02", cwd=judged)
    assert code == 2 and "--baseline" in err
    code, _, err = run(*arguments, "--gate", "", cwd=judged)
    assert code == 2 and "the gate is empty" in err
    code, _, err = run(*arguments, "--gate", "nDCG@10 > 0", "--junit", "no/where.xml", cwd=judged)
    assert code == 1 and "no folder that can be written to" in err


def test_bench(project):
    arguments = ("bench", "../model", "./gone", "--lengths", "8", "--rounds", 3, "--docs", "docs")
    code, out, _ = run(*arguments, "--json", cwd=project)
    data = json.loads(out)
    assert code == 1 and set(data) == {"machine", "models"}
    good, bad = data["models"]
    assert set(good) == set(bad) == {
        "model", "threads", "space", "space_digest", "precision", "first_ms", "query_ms", "batches", "left_out",
        "documents", "peak_mb", "usd_per_million_tokens", "spent_usd", "error",
    }  # fmt: skip
    assert good["query_ms"]["p99"] and bad["error"]
    _, out, _ = run("bench", "../model", "--lengths", "8", "--rounds", 3, cwd=project, check=0)
    assert "p99" in out and "8 tokens" in out
    _, out, _ = run("bench", "../model", "--lengths", "8,5000", "--rounds", 3, cwd=project, check=0)
    assert "takes no texts of 5,000 tokens" in out
    for wrong, message in ((("--threads", "many"), "write numbers"), (("--docs", "none"), "no such file")):
        code, _, err = run("bench", "../model", *wrong, cwd=project)
        assert code == 2 and message in err


def test_similarity(project):
    (project / "pairs.tsv").write_text("a cat\ta cat\t5\na dog\ta house\t1\nhe eats\the ate\t4\n")
    _, out, _ = run("similarity", "pairs", "pairs.tsv", "-m", "../model", "--json", cwd=project, check=0)
    (row,) = json.loads(out)["models"]
    assert set(row) == {"name", "space", "space_digest", "spearman", "pearson", "spearman_interval", "pairs", "error"}
    table = "text,label\n" + "\n".join(f"{word} number {n},{word}" for n in range(6) for word in ("pump", "valve"))
    (project / "labels.csv").write_text(table)
    _, out, _ = run(
        "similarity", "labels", "labels.csv", "labels.csv", "-m", "../model", "--json", cwd=project, check=0
    )
    (row,) = json.loads(out)["models"]
    assert set(row) == {
        "name", "space", "space_digest", "knn_accuracy", "purity", "v_measure", "texts", "trained", "labels", "error",
    }  # fmt: skip
    code, out, _ = run("similarity", "pairs", "pairs.tsv", "-m", "./gone", cwd=project)
    assert code == 1 and "failed" in out
    (project / "pairs.tsv").write_text("one column\n")
    code, _, err = run("similarity", "pairs", "pairs.tsv", cwd=project)
    assert code == 2 and "pairs.tsv:1: expected" in err
