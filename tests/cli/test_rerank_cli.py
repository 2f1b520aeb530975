"""rerank, search --rerank, and what measurements say of rerankers, as people and programs use them."""

import json

import pytest
import yaml

from tests.cli.test_cli import run
from tests.reranking.services import handle, overlap, settings
from tests.servers import serving

QUERY = "how do I rotate a key"
LINES = [
    {"id": 1, "text": "apples and pears", "note": "kept"},
    {"id": 2, "text": "how do I rotate a key", "score": 7},
    {"id": 3, "text": "a key"},
]


@pytest.fixture
def server():
    with serving(handle) as playing:
        yield playing


@pytest.fixture
def configured(project, server):
    """A project whose reranker is played by a server."""
    models = {
        "cheap": settings("tei", server.url),
        "dear": settings("cohere", server.url, usd_per_thousand_searches=2.0),
        "down": settings("tei", "http://127.0.0.1:9"),
    }
    text = yaml.safe_dump({"reranking": {"default_model": "cheap", "models": models}})
    (project / "embassay.yaml").write_text(text)
    run("config", "allow", cwd=project, check=0)
    return project


@pytest.fixture
def searched(configured):
    run("index", "docs", "--model", "../model", cwd=configured, check=0)
    return configured


def test_lines_come_back_in_order_with_all_their_fields(configured):
    (configured / "hits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    asked = ("rerank", QUERY, "--documents", "hits.jsonl", "--model", "dear", "--json")
    _, out, _ = run(*asked, cwd=configured, check=0)
    data = json.loads(out)
    assert [line["id"] for line in data["results"]] == [2, 3, 1] and data["documents"] == 3
    first, last = data["results"][0], data["results"][-1]
    assert first["score"] == 7 and last["note"] == "kept" and last["rerank_rank"] == 3
    assert first["rerank_score"] == pytest.approx(overlap(QUERY, first["text"])) and first["index"] == 1
    assert data["usage"] == {"requests": 1, "tokens": None, "usd": 0.002, "cached": 0}
    _, out, _ = run(*asked, "-k", 1, cwd=configured, check=0)
    again = json.loads(out)
    assert [line["id"] for line in again["results"]] == [2] and again["usage"]["cached"] == 3


def test_plain_lines_and_standard_input(configured):
    _, out, err = run("rerank", QUERY, cwd=configured, check=0, stdin=b"apples\n\nhow do I rotate a key\n")
    assert out.split("\n")[0].split() == ["1", "1.0000", *QUERY.split()] and "tei/reranker: 1 request, free." in err


def test_the_hits_of_a_search_can_be_handed_on(searched):
    _, found, _ = run("search", "rotate a key", "-k", 5, "--json", cwd=searched, check=0)
    _, out, _ = run("rerank", "rotate a key", "--json", cwd=searched, check=0, stdin=found.encode())
    results = json.loads(out)["results"]
    assert {line["path"] for line in results} == {hit["path"] for hit in json.loads(found)["hits"]}
    assert [line["rerank_score"] for line in results] == sorted((r["rerank_score"] for r in results), reverse=True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{"title": "x"}\n', "line 1 has no text: its fields are title"),
        ('{"text": "x"}\nnot json\n', "line 2 is no JSON"),
        ('{"text": "x"}\n[1]\n', "line 2 is no JSON object"),
        ("\n \n", "stdin holds no text"),
    ],
)
def test_what_is_no_document_is_named(given, words, configured):
    code, _, err = run("rerank", QUERY, cwd=configured, stdin=given.encode())
    assert code == 2 and words in err and "Traceback" not in err


def test_names_that_lead_nowhere(configured):
    code, _, err = run("rerank", QUERY, "--model", "chaep", cwd=configured, stdin=b"a key\n")
    assert code != 0 and "Did you mean 'cheap'" in err
    code, _, err = run("rerank", QUERY, "--documents", "gone.jsonl", cwd=configured)
    assert code == 2 and "gone.jsonl cannot be read" in err
    code, _, err = run("rerank", QUERY, "--model", "down", cwd=configured, stdin=b"a key\n")
    assert code != 0 and "did not answer" in err and "Traceback" not in err


def test_without_any_reranker_it_says_what_to_do(project):
    code, _, err = run("rerank", QUERY, cwd=project, stdin=b"a key\n")
    assert code == 2 and "no reranker is named, and none is configured" in err and "default_model" in err


def test_a_search_is_reranked_and_shows_it(searched):
    _, out, _ = run("search", "rotate a key", "--rerank", "cheap", "--json", "--explain", cwd=searched, check=0)
    data = json.loads(out)
    assert 'rerank(50, model="cheap")' in data["pipeline"]
    (done,) = data["reranked"]
    assert done["model"] == "cheap" and done["scored"] > len(data["hits"]) and done["left"] == 0
    _, out, _ = run("search", "rotate a key", "--rerank", "dear", "--budget-ms", 60000, cwd=searched, check=0)
    assert "reranked by dear" in out


def test_a_search_goes_on_without_a_reranker_that_is_down(searched):
    code, out, err = run("search", "rotate a key", "--rerank", "down", cwd=searched)
    assert code == 0 and "docs/" in out and 'Searched without rerank(50, model="down")' in err
    code, _, err = run("search", "rotate a key", "--rerank", "dwon", cwd=searched)
    assert code == 2 and "Did you mean 'down'" in err
    code, _, err = run("search", "rotate a key", "--budget-ms", 5, cwd=searched)
    assert code == 2 and "--budget-ms is for --rerank" in err


def test_measurements_say_who_was_asked_for_how_much_and_at_what_price(searched):
    run("judge", "new", "docs", "--out", "judged", "-n", 4, cwd=searched, check=0)
    pipeline = 'lexical(20) >> rerank(10, "cheap", margin=1.5, premium="dear") >> top(10)'
    _, out, _ = run("eval", "judged", "--pipeline", pipeline, "-m", "../model", "--json", cwd=searched, check=0)
    told = json.loads(out)["reranking"]
    assert set(told["shares"]) <= {"cheap", "dear"} and 0 < sum(told["shares"].values()) <= 1
    assert told["usd_per_thousand_queries"] == pytest.approx(2.0 * told["shares"].get("dear", 0)) or told["cached"]
    one, other = "../model@lexical", '../model@lexical(20) >> rerank(10, "dear") >> top(10)'
    _, out, _ = run("compare", one, other, "--judged", "judged", cwd=searched, check=0)
    assert "reranked by dear for 100% of the queries" in " ".join(out.split())
    code, _, err = run(
        "eval", "judged", "--pipeline", 'lexical >> rerank(5, "down") >> top', "-m", "../model", cwd=searched
    )
    assert code != 0 and "did not answer" in err
