"""What systems rank: models that share their vectors, and hits of sets held against judged places."""

import json

from embassay.config.reading import load_config
from embassay.config.values import Config
from embassay.embedders.providers.hash import hashed
from embassay.evaluate.compare.candidate import parse_candidate
from embassay.evaluate.compare.model_system import Models
from embassay.evaluate.compare.paired import compare_systems
from embassay.models.registry import Registry
from tests.evaluate.compare.sample import BETTER, WORSE
from tests.servers import Answer, openai_body, serving


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
        found = compare_systems(judged, [models.system(candidate) for candidate in candidates])
    assert not any(row.error for row in found.rows)
    assert asked.count(("document", 60)) == 1 and asked.count(("query", 40)) == 1
    assert found.rows[2].costs.bytes_per_million == 0, "words need no vectors"


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
                return compare_systems(judged, [models.system(candidate) for candidate in candidates])

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
