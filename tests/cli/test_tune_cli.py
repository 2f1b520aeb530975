"""tune-fusion as people and programs use it: a set, judged queries of it, and what searches do with what was fitted."""

import json
import random

import pytest

import embassay
from tests.cli.test_cli import run

WORDS = [f"word{at}" for at in range(200)]


@pytest.fixture
def tuned(tmp_path):
    """A set whose judged queries want what vectors find first."""
    made = random.Random(3)
    texts = {f"d{at}": " ".join(made.choices(WORDS, k=12)) for at in range(200)}
    queries = {f"q{at}": " ".join(made.choices(WORDS, k=6)) for at in range(40)}
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("words").upsert([{"id": name, "text": text} for name, text in texts.items()], model="hash/256")
        first = {
            name: home.search(query, 1, set="words", mode="dense").hits[0].chunk.document
            for name, query in queries.items()
        }
    judged = tmp_path / "judged"
    (judged / "qrels").mkdir(parents=True)
    rows = [{"_id": name, "title": "", "text": text} for name, text in texts.items()]
    (judged / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"_id": name, "text": query} for name, query in queries.items()]
    (judged / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    lines = [f"{name}\t{document}\t1\n" for name, document in first.items()]
    (judged / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return tmp_path


def test_a_fusion_is_fitted_applied_and_taken_back(tuned):
    fit = ("tune-fusion", "--set", "words", "--judged", "judged")
    _, out, _ = run(*fit, "--json", cwd=tuned, check=0)
    found = json.loads(out)
    assert set(found) == {
        "set", "judged", "digest", "queries", "metric", "present", "fitted", "recommended", "means", "held_out",
        "folds", "verdict", "reason", "applied",
    }  # fmt: skip
    assert found["recommended"] == found["fitted"] and found["applied"] is False and found["queries"] == 40
    fusion = found["fitted"].split(" >> ")[1]
    _, out, _ = run(*fit, cwd=tuned, check=0)
    assert f"Use {fusion}" in out and "in use" in out and "--apply has the set always do so" in out
    _, out, _ = run("sets", "show", "words", cwd=tuned, check=0)
    assert "as every set does" in out
    _, out, _ = run(*fit, "--apply", cwd=tuned, check=0)
    assert "Hybrid searches of words use it from now on. embassay tune-fusion --set words --reset" in out
    _, out, _ = run("search", "word1 word2", "--explain", cwd=tuned, check=0)
    assert f">> {fusion} >>" in out
    _, out, _ = run("search", "word1 word2", "--fusion", "rrf", "--explain", cwd=tuned, check=0)
    assert ">> rrf(60) >>" in out
    _, out, _ = run("eval", "judged", "--set", "words", "--mode", "hybrid", "--json", cwd=tuned, check=0)
    assert fusion in json.loads(out)["pipeline"]
    _, out, _ = run("compare", "words@hybrid", "words@lexical", "--judged", "judged", "--json", cwd=tuned, check=0)
    assert fusion in json.loads(out)["candidates"][0]["pipeline"]
    _, out, _ = run("sets", "show", "words", cwd=tuned, check=0)
    assert f"{fusion}, fitted to judged" in out
    _, out, _ = run(*fit, "--apply", "--json", cwd=tuned, check=0)
    assert json.loads(out)["applied"] is False and json.loads(out)["present"] == found["fitted"]
    _, out, _ = run("tune-fusion", "--set", "words", "--reset", cwd=tuned, check=0)
    assert out.startswith("words joins its arms again as every set does, by adaptive(0.7)")
    _, out, _ = run("tune-fusion", "--set", "words", "--reset", "--json", cwd=tuned, check=0)
    assert json.loads(out) == {"set": "words", "reset": False, "fusion": "adaptive(0.7)"}
    _, out, _ = run("search", "word1 word2", "--explain", cwd=tuned, check=0)
    assert ">> adaptive(0.7) >>" in out


def test_what_is_not_sure_is_not_applied(tuned):
    with embassay.open(tuned / ".embassay") as home:
        rows = [json.loads(line) for line in (tuned / "judged" / "queries.jsonl").read_text().splitlines()]
        lines = []
        for at, row in enumerate(rows):
            hits = home.search(row["text"], 10, set="words").hits
            lines.append(f"{row['_id']}\t{hits[0 if at % 3 else 3].chunk.document}\t1\n")
    (tuned / "judged" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    _, out, _ = run("tune-fusion", "--set", "words", "--judged", "judged", "--apply", cwd=tuned, check=0)
    assert "Keep adaptive(0.7)" in out and out.rstrip().endswith("Nothing was changed.")
    with embassay.open(tuned / ".embassay") as home:
        assert home.set("words").fusion is None


def test_what_does_not_go_together(tuned):
    for arguments, said in (
        (("--set", "words"), "say either what to fit the fusion to, --judged DIR, or --reset."),
        (("--judged", "judged", "--reset"), "say either"),
        (("--reset", "--apply"), "--apply and --reset are opposites"),
        (("--judged", "judged", "--apply", "--pipeline", "dense | lexical >> rrf"), "--pipeline is another search"),
        (("--judged", "judged", "--pipeline", "dense"), "joins no arms"),
        (("--judged", "nowhere"), "nowhere"),
    ):
        code, _, err = run("tune-fusion", *arguments, cwd=tuned)
        assert code == 2 and said in err and "Traceback" not in err, (arguments, err)
    code, _, err = run("tune-fusion", "--reset", "--set", "wrods", cwd=tuned)
    assert code == 1 and "no set 'wrods'" in err and "There are: words." in err
