"""Comparisons end to end: real models and sets, a service that fails half-way, documents that differ."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

import embassay
from embassay.config.reading import load_config
from embassay.config.values import Config
from embassay.embedders.providers.hash import hashed
from embassay.errors import JudgedSetError, UsageError
from embassay.evaluate.compare.candidate import parse_candidate
from embassay.evaluate.compare.model_system import Models
from embassay.evaluate.compare.opening import Options, compare, compare_sets, open_systems
from embassay.evaluate.compare.paired import compare as run_systems
from embassay.evaluate.compare.verdict import Budgets
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.home import open_home
from embassay.models.registry import Registry
from embassay.types import Document
from tests.conftest import DEFAULT
from tests.servers import Answer, openai_body, serving

WORSE, BETTER = "hash/64", "hash/64@lexical"
"""Vectors of the hash provider know nothing of words, BM25 does."""


def words_of(n, count=30):
    return random.Random(n).sample([f"word{at}" for at in range(400)], count)


@pytest.fixture
def judged():
    """40 queries of three words that only one of 60 documents has all of."""
    documents = tuple(Document(f"d{n}", f"d{n}", f"{' '.join(words_of(n))} delta{n}", title=f"T{n}") for n in range(60))
    queries = {f"q{n}": " ".join(words_of(n)[:3]) for n in range(40)}
    return JudgedSet("made/test", documents, queries, {f"q{n}": {f"d{n}": 1} for n in range(40)})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No home above, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "model", "pipeline"),
    [
        ("minilm", "minilm", "dense(10) >> top(10)"),
        ("minilm@int8", "minilm@int8", "dense(10) >> top(10)"),
        ("minilm@hybrid@int8@dims=256", "minilm@int8@dims=256", "dense(100) | lexical(100) >> convex(0.75) >> top(10)"),
        ("a/b@dims=256@hybrid", "a/b@dims=256", "dense(100) | lexical(100) >> convex(0.75) >> top(10)"),
        ("a/b@fusion=rrf@hybrid", "a/b", "dense(100) | lexical(100) >> rrf(60) >> top(10)"),
        ("a/b@lexical", "a/b", "lexical(10) >> top(10)"),
        ("a@b@int8", "a@b@int8", "dense(10) >> top(10)"),
    ],
)
def test_candidates_as_they_are_written(text, model, pipeline):
    found = parse_candidate(text)
    assert (found.name, found.model, str(found.pipeline)) == (text, model, pipeline)


def test_a_fusion_nobody_knows():
    with pytest.raises(UsageError, match="fusion 'best'"):
        parse_candidate("a/b@fusion=best@hybrid")


def test_better_worse_and_equal(judged):
    told: list[int] = []
    found = embassay.compare([WORSE, BETTER, f"{WORSE}@f32"], judged, started=told.append, advance=told.append)
    assert found.verdict == "switch" and found.winner == BETTER and found.headline == "Switch to hash/64@lexical"
    better, same = found.deciding
    assert better.interval[0] > 0 and better.p <= 0.05 and better.wins > better.losses
    assert same.verdict == "undecided" and (same.wins, same.losses, same.difference) == (0, 0, 0.0)
    assert same.queries_needed == 300, "alike on 40 queries says little"
    assert told[0] == 300 == sum(told[1:]), "a bar that ends where it should"
    assert len(found.pairs) == 3 * len(found.metrics)
    hardest = found.hardest(3)
    assert hardest == sorted(hardest, key=lambda item: item[1])
    change = found.changed(better)[0]
    assert change.b > change.a and change.hits_b[0] in judged.qrels[change.query]


def test_json_is_as_documented(judged):
    data = json.loads(json.dumps(compare([WORSE, BETTER], judged).to_dict(per_query=True)))
    assert {"judged", "queries", "candidates", "pairs", "verdict", "winner"} <= set(data)
    first = data["candidates"][0]
    assert {"name", "space", "metrics", "latency_ms", "bytes_per_million", "usd_per_million_tokens"} <= set(first)
    assert {"p50", "p95"} <= set(first["latency_ms"]) and first["bytes_per_million"] == 64 * 4 * 1e6
    assert first["usd_per_million_tokens"] == 0 and len(first["per_query"]) == 40
    assert first["top3"]["rule"] in ("switch", "marginal", "keep")
    pair = data["pairs"][0]
    assert {
        "a",
        "b",
        "metric",
        "difference",
        "interval",
        "p",
        "wins",
        "ties",
        "losses",
        "verdict",
        "queries_needed",
    } <= set(pair)
    means = [row["metrics"]["nDCG@10"] for row in data["candidates"]]
    assert pair["difference"] == pytest.approx(means[1] - means[0])


def test_budgets_keep_the_cheap_one(judged):
    found = compare([WORSE, BETTER], judged, budgets=Budgets(p95_ms=0))
    assert found.verdict == "keep" and found.winner == WORSE and "over budget" in found.reason


def test_three_queries(judged):
    few = {q: judged.queries[q] for q in ("q1", "q2", "q3")}
    small = JudgedSet("small", judged.documents, few, {q: judged.qrels[q] for q in few})
    found = compare([WORSE, BETTER], small)
    assert found.verdict == "undecided" and found.winner is None and "too few" in found.reason
    assert "more judged queries would decide" in found.sentence


def test_all_ties(judged):
    found = compare([WORSE, f"{WORSE}@f32"], judged)
    assert found.verdict == "undecided" and found.changed(found.deciding[0]) == []
    assert "alike on 40 of 40 queries" in found.reason and found.detectable is None


def test_many_ties(judged):
    many = {f"{q}-{n}": text for q, text in judged.queries.items() for n in range(8)}
    data = JudgedSet("many", judged.documents, many, {q: judged.qrels[q.split("-")[0]] for q in many})
    assert compare([WORSE, f"{WORSE}@f32"], data).verdict == "keep"


def test_scores_do_not_depend_on_what_else_is_asked(judged):
    """A metric that looks deeper must not change how arms are fused."""
    names = [WORSE, f"{WORSE}@hybrid", f"{WORSE}@fusion=rrf@hybrid"]
    first = compare(names, judged, metrics=("nDCG@10",))
    deep = compare(names, judged, metrics=("nDCG@10", "AP", "R@1000"))
    for at in range(3):
        assert first.rows[at].metrics["nDCG@10"] == deep.rows[at].metrics["nDCG@10"]
    assert all(row.metrics["R@1000"] == 1.0 for row in deep.rows[:2]), "all documents are ranked"


def test_the_correction_is_for_what_is_asked():
    """More candidates cost power, but not for the comparisons among the others."""
    from embassay.evaluate.compare.costs import Costs
    from embassay.evaluate.compare.paired import compare_scores
    from embassay.evaluate.compare.result import Row

    generator = np.random.default_rng(0)
    costs = Costs({"p95": 1.0}, 1, 0.0)
    base = generator.random(200)
    rows = {}
    for at in range(5):
        scores = base + generator.normal(0.01 * at, 0.1, 200)
        rows[f"c{at}"] = Row(f"c{at}", costs=costs, per_query={f"q{n}": {"m": v} for n, v in enumerate(scores)})
    pairs = compare_scores(rows, ["m"], 0.01, Budgets())
    assert len(pairs) == 10
    with_first = [pair for pair in pairs if pair.a == "c0"]
    smallest = min(with_first, key=lambda pair: pair.p_uncorrected)
    assert smallest.p == pytest.approx(min(1, 4 * smallest.p_uncorrected))
    others = min((pair for pair in pairs if pair.a != "c0"), key=lambda pair: pair.p_uncorrected)
    assert others.p == pytest.approx(min(1, 6 * others.p_uncorrected))


def test_a_defect_of_one_loses_nothing(judged, monkeypatch):
    from embassay.evaluate.compare.model_system import ModelSystem

    whole = ModelSystem.outcome

    def broken(self, *args):
        if self.name == BETTER:
            raise RuntimeError("onnx died")
        return whole(self, *args)

    monkeypatch.setattr(ModelSystem, "outcome", broken)
    found = compare([WORSE, BETTER], judged)
    assert "unexpected RuntimeError: onnx died" in found.rows[1].error and found.rows[0].metrics


@pytest.mark.parametrize("least", [float("nan"), -0.1])
def test_a_minimum_effect_is_a_number(judged, least):
    with pytest.raises(UsageError, match="minimum effect"):
        compare([WORSE, BETTER], judged, min_effect=least)


def test_queries_that_nothing_answers_are_left_out(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "text": "t"}\n')
    (tmp_path / "judged.jsonl").write_text(
        '{"query": "a", "relevant_docs": ["d"]}\n{"query": "b", "relevant_docs": {"d": 0}}\n{"query": "c"}\n'
    )
    found = read_judged(tmp_path)
    assert (list(found.queries), found.unanswered, found.unjudged) == (["q1"], ("q2",), ("q3",))
    (tmp_path / "judged.jsonl").write_text('{"id": "x", "query": " ", "relevant_docs": ["d"]}\n')
    with pytest.raises(JudgedSetError, match="expected"):
        read_judged(tmp_path)


def test_a_hit_has_one_rank():
    """However many judged places it covers; whole files are ranked as files."""
    from embassay.evaluate.compare.set_system import ranked_places
    from embassay.evaluate.data.places import Place
    from embassay.types import Chunk, Hit

    def hit(path, first, last):
        return Hit(1, 1.0, Chunk("k", path, path, "", "text", 0, (first, last), (0, 4), 1), {})

    places = [Place.parse(text) for text in ("a#L1-2", "a#L3-4", "a#L5-6", "b#L1-9")]
    found = list(ranked_places([hit("x", 1, 5), hit("a", 1, 6), hit("b", 2, 8)], places))
    assert found == ["x#L1-5", "a#L1-2", "b#L1-9", "a#L3-4", "a#L5-6"]
    files = [Place.parse("rel.md")]
    assert list(ranked_places([hit("x.md", 1, 5), hit("x.md", 6, 9), hit("rel.md", 1, 3)], files)) == ["x.md", "rel.md"]


@pytest.mark.parametrize("names", [[], [WORSE], [WORSE, WORSE]])
def test_too_few_candidates(judged, names):
    with pytest.raises(UsageError, match="two different candidates"):
        compare(names, judged)


def test_a_candidate_that_fails_half_way_is_resumed(judged, tmp_path, monkeypatch):
    """Its row says so, the others finish; the next run asks only for what is missing."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-0000")
    state = {"broken": True}

    def handle(request):
        texts = request.json["input"]
        if state["broken"] and any("delta30" in text for text in texts):
            return Answer({"error": {"message": "boom"}}, status=500)
        return Answer(openai_body(hashed(texts, 64), base64=request.json.get("encoding_format") == "base64"))

    with serving(handle) as server:
        model = {
            "provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "dimensions": None,
            "batch_size": 10, "concurrency": 1, "retries": 0, "deadline": 5,
        }  # fmt: skip
        (tmp_path / "embassay.yaml").write_text(json.dumps({"embeddings": {"models": {"svc": model}}}))
        config = load_config(tmp_path / "embassay.yaml", env={})
        candidates = [parse_candidate(BETTER), parse_candidate("svc"), parse_candidate(WORSE)]

        def run():
            with Registry(config, cache_file=tmp_path / "cache.db", keep_local=True) as registry:
                models = Models(registry, candidates)
                return run_systems(judged, [models.system(candidate) for candidate in candidates])

        found = run()
        good, failed, other = found.rows
        assert "boom" in failed.error and not failed.metrics and good.metrics and other.metrics
        assert found.verdict == "undecided" and {(p.a, p.b) for p in found.pairs} == {(BETTER, WORSE)}
        sent = [text for r in server.received for text in r.json["input"]]
        state["broken"] = False
        server.received.clear()
        again = run()
        assert not again.rows[1].error and again.rows[1].metrics
        asked = [text for r in server.received for text in r.json["input"]]
        kept = {text for text in sent if "delta" in text} - {text for text in asked if "delta" in text}
        assert len(kept) >= 20, "what was embedded before the failure is not asked for again"


def test_models_share_what_is_embedded(judged, tmp_path):
    """Documents are embedded once for each model, whatever the number of its pipelines."""
    asked = []
    with Registry(Config(), cache_file=tmp_path / "cache.db") as registry:
        from embassay.embedders.wrap.wrapper import Wrapper

        class Counting(Wrapper):
            def stream(self, texts, role, on_long="truncate"):
                texts = list(texts)
                asked.append((role, len(texts)))
                return self.inner.stream(texts, role, on_long)

        registry.register("words", Counting(registry.get("hash/64")))
        candidates = [parse_candidate(name) for name in ("words", "words@hybrid", "words@lexical")]
        models = Models(registry, candidates)
        found = run_systems(judged, [models.system(candidate) for candidate in candidates])
    assert not any(row.error for row in found.rows)
    assert asked.count(("document", 60)) == 1 and asked.count(("query", 40)) == 1
    assert found.rows[2].costs.bytes_per_million == 0, "words need no vectors"


@pytest.fixture
def indexed(docs, monkeypatch):
    """Two sets of one folder in different spaces, and a third of other documents."""
    monkeypatch.chdir(docs.parent)
    for n in range(25):
        (docs / f"note{n}.txt").write_text(" ".join(words_of(n)) + ".\n")
    with open_home() as home:
        home.index(["docs"], set="small", model="hash/64")
        home.index(["docs"], set="large", model="hash/128")
        home.index(["docs/network"], set="other", model="hash/128")
    rows = [{"query": " ".join(words_of(n)[:3]), "relevant_docs": [f"docs/note{n}.txt#L1-1"]} for n in range(25)]
    (docs.parent / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return docs.parent


def test_sets(indexed):
    from embassay.evaluate.data.saved import read_queries

    data = read_queries(indexed / "queries.jsonl")
    found = compare(["small", "large@lexical", "large"], data)
    assert found.verdict == "switch" and found.rows[1].metrics["RR@10"] > found.rows[0].metrics["RR@10"]
    assert found.rows[1].pipeline.startswith("lexical(")
    change = found.changed(found.deciding[0])[0]
    assert change.hits_b[0] in data.qrels[change.query] and "word" in found.title(change.hits_b[0])


def test_a_judged_set_of_the_same_folder(indexed):

    from embassay.evaluate.judge.make import draft
    from embassay.evaluate.judge.passages import read_passages
    from embassay.evaluate.judge.writing import add, write

    passages = read_passages([Path("docs")], lambda file: file.as_posix())
    write(Path("judged"), draft(passages, 0))
    for n in range(25):
        add(Path("judged"), " ".join(words_of(n)[:3]), [f"docs/note{n}.txt"])
    found = compare(["small", "large@lexical", BETTER], "judged")
    assert not any(row.error for row in found.rows) and found.verdict == "switch"
    _, large, model = found.rows
    assert large.metrics["nDCG@10"] == pytest.approx(model.metrics["nDCG@10"], abs=0.05), "a set and its own model"


def test_sets_of_different_documents_are_refused(indexed):
    with pytest.raises(
        UsageError, match=r"different documents: \d+ only in 'small', 0 only in 'other', 0 with another"
    ):
        with open_systems(["small", "other"]):
            pass
    (indexed / "docs" / "notes.txt").write_text("Something else entirely.\n")
    with open_home() as home:
        home.index(["docs"], set="large")
    with pytest.raises(
        UsageError, match=r"0 only in 'small', 0 only in 'large', 1 with another content, first docs/notes"
    ):
        with open_systems(["small", "large"]):
            pass


def test_judged_documents_that_a_set_lacks(indexed):
    data = JudgedSet("q", (), {"a": "b"}, {"a": {"docs/none.md#L1-3": 1, "docs/keys.md": 1}})
    with pytest.raises(UsageError, match=r"'small' lacks 1 of the 2 judged documents, first docs/none.md"):
        compare(["small", "large"], data)
    with pytest.raises(UsageError, match="'hash/64' is no set"):
        compare(["small", WORSE], JudgedSet("q", (), {"a": "b"}, {"a": {"docs/keys.md": 1}}))


def test_options_that_sets_cannot_have(indexed):
    data = JudgedSet("q", (), {"a": "b"}, {"a": {"docs/keys.md": 1}})
    for options in (Options(chunks=True), Options(drop_same_id=True)):
        with pytest.raises(UsageError, match="it is searched as it is"):
            compare(["small", "large"], data, options=options)


def test_sets_without_judgments(indexed):
    queries = [" ".join(words_of(n)[:3]) for n in range(25)]
    same = compare_sets("small@lexical", "large@lexical", queries)
    assert same.overlap == 1.0 and same.same_first == 1.0 and same.differing == []
    found = compare_sets("small", "large", queries)
    assert 0 < found.overlap < 1 and found.differing[0].overlap <= found.differing[-1].overlap
    data = found.to_dict()
    assert data["verdict"] == "undecided" and data["pairs"] == [] and data["winner"] is None
    with pytest.raises(UsageError, match="'hash/64' is no set"):
        compare_sets("small", WORSE, queries)


def test_a_set_whose_model_fails_says_so(indexed, monkeypatch):
    """A search would go on by words; a measurement must not pretend."""
    from embassay.errors import ProviderDown

    def broken(self, *args, **kwargs):
        raise ProviderDown("the model is out of reach.")

    data = JudgedSet("q", (), {"a": "rotate"}, {"a": {"docs/keys.md": 1}})
    with open_systems(["small@hybrid", "large@lexical"]) as systems:
        monkeypatch.setattr(type(systems[0].embedder.inner), "stream", broken, raising=True)
        found = run_systems(data, systems)
    assert "out of reach" in found.rows[0].error and not found.rows[1].error


def test_precisions_of_a_real_model(judged):
    found = compare([f"{DEFAULT}@f32", f"{DEFAULT}@int8"], judged, options=Options("dense"))
    assert found.rows[0].space == found.rows[1].space, "precision is not identity"
    assert found.rows[0].costs.texts_per_second > 0 and found.rows[0].costs.truncated == 0.0
    assert np.isfinite(found.rows[0].costs.latency_ms["p95"])


def test_scifact_switches_to_hybrid(shared):
    """On the first 900 documents and what they answer, to be quick; the whole set is in the benchmarks."""
    whole = read_judged(shared / "scifact", "train")
    part = {d.id: d for d in whole.documents[:900]}
    qrels = {q: g for q, g in whole.qrels.items() if all(d in part for d in g)}
    data = JudgedSet("scifact/part", tuple(part.values()), {q: whole.queries[q] for q in qrels}, qrels)
    found = compare([f"{DEFAULT}@int8", f"{DEFAULT}@int8@hybrid"], data)
    (pair,) = found.deciding
    assert pair.difference > 0 and found.verdict in ("switch", "undecided") and len(qrels) > 100
