"""One session a run: models are loaded once, there is one budget, and whoever made it closes it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.wrap.budget import Order, Paid
from embassay.errors import EmbassayError, SpendCapReached, UsageError
from embassay.evaluate.speed.bench import Benchmark, bench
from embassay.events import Noted
from embassay.home import Home
from embassay.models.registry import Registry
from embassay.session import Session, using
from embassay.sets.folder import find_home
from tests.servers import hash_openai, serving
from tests.tiny import CASES, write_model


def hosted(url: str, cap: float | None = None, names: tuple[str, ...] = ("a", "b")) -> Config:
    """Models of one service under several names, at a dollar for a thousand tokens."""
    models = {
        name: {
            "provider": "openai",
            "model_id": f"m-{name}",
            "base_url": f"{url}/v1",
            "usd_per_million_tokens": 1000.0,
            "api_key": "sk-test-key-0000",
            "cache_enabled": False,
            "retries": 0,
        }
        for name in names
    }
    return Config(embeddings=EmbeddingsConfig(models=models, spend_cap_usd=cap))


@pytest.fixture
def tiny(tmp_path):
    return str(write_model(tmp_path / "model", CASES["bert"]))


@pytest.fixture
def judged(tmp_path):
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    words = ("rotate the key", "proxy server", "vector space", "search index")
    (folder / "corpus.jsonl").write_text("".join(f'{{"_id": "d{i}", "text": "{w}"}}\n' for i, w in enumerate(words)))
    (folder / "queries.jsonl").write_text("".join(f'{{"_id": "q{i}", "text": "{w}"}}\n' for i, w in enumerate(words)))
    (folder / "qrels" / "test.tsv").write_text("".join(f"q{i}\td{i}\t1\n" for i in range(len(words))))
    return folder


def test_a_set_and_a_candidate_share_one_model(docs, tiny):
    """A model that a home and a comparison both name is opened once."""
    opened = []
    with Session(Config()) as session:
        made = session.models.get(tiny)
        session.models.register("counted", lambda: opened.append(1) or made)
        with Home(find_home(docs.parent / ".embassay", create=True), session) as home:
            home.index([docs], model="counted")
            home.search("rotate the key")
        session.models.get("counted").embed(["a"], "query")
        with Home(find_home(docs.parent / ".embassay"), session) as again:
            again.search("proxy")
    assert opened == [1]


def test_whoever_is_handed_a_session_leaves_it_open(docs, tiny):
    with Session(Config()) as session:
        home = Home(find_home(docs.parent / ".embassay", create=True), session)
        home.index([docs], model=tiny)
        home.close()
        assert session.models.get(tiny).embed(["a"], "query").vectors.any()
        with using(session) as same:
            assert same is session
        session.models  # noqa: B018 - not closed


def test_whoever_makes_a_session_closes_it(docs, tiny):
    with embassay.open(docs.parent / ".embassay") as home:
        home.index([docs], model=tiny)
        own = home.session
    with pytest.raises(UsageError, match="closed"):
        own.models  # noqa: B018
    with using(None) as made:
        assert isinstance(made.models, Registry)
    with pytest.raises(UsageError, match="closed"):
        made.models  # noqa: B018


def test_all_models_of_a_session_share_one_budget(judged):
    """Comparing two models spends what one cap allows, not twice that."""
    with serving(hash_openai(64)) as server, Session(hosted(server.url, 0.02)) as session:
        found = embassay.compare(["a", "b"], judged, session=session)
        budget = session.budget
        assert budget.spent <= 0.02
        assert "spend cap" in found.rows[1].error


def test_two_sessions_do_not_share_anything(tmp_path):
    heard = []
    with serving(hash_openai(64)) as server:
        with Session(hosted(server.url, 0.01)) as one, Session(hosted(server.url, 0.02)) as two:
            one.events.subscribe(Noted, heard.append)
            two.events.tell(Noted("for the other"))
            assert one.models is not two.models
            with pytest.raises(SpendCapReached):
                one.models.get("a").embed(["some words " * 20], "document")
            assert two.models.get("a").embed(["a word"], "document").vectors.any()
    assert heard == []


def test_bench_spends_from_the_budget_of_the_run(tmp_path, monkeypatch):
    """Each process gets what is left of one cap, and not a cap of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(hash_openai(64)) as server:
        url, cap = f"{server.url}/v1", 1.0
        settings = "provider: openai, model_id: m, api_key: sk-test-key-0000, usd_per_million_tokens: 1000"
        (tmp_path / "embassay.yaml").write_text(
            f"embeddings: {{spend_cap_usd: {cap}, models: {{svc: {{{settings}, base_url: '{url}'}}}}}}"
        )
        with Session() as session:
            first = bench(Benchmark("svc", rounds=3), session.models)
            spent = session.budget.spent
            assert not first["error"] and 0 < spent == pytest.approx(first["spent_usd"])
            session.budget.note(rest := Order("svc", "document", cap - spent * 1.5), Paid(rest.usd))
            second = bench(Benchmark("svc", rounds=3), session.models)
            assert "spend cap" in second["error"]
            assert session.budget.spent <= cap + 1e-9


def test_one_session_used_by_many_threads(tiny):
    """One model is opened, and every thread gets its vectors."""
    with Session(Config()) as session:
        gate, made = threading.Barrier(16), []

        def work(at: int) -> None:
            gate.wait()
            made.append((at, session.models.get(tiny).embed([f"text {at}", "the same"], "query").vectors))

        threads = [threading.Thread(target=work, args=(at,)) for at in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(at for at, _ in made) == list(range(16))
        same = made[0][1][1]
        assert all(np.allclose(vectors[1], same, atol=1e-4) for _, vectors in made)


def test_closed_while_a_stream_is_open(tiny):
    """The stream ends with all its vectors or with an error of ours; it neither hangs nor leaks another exception."""
    with serving(hash_openai(64)) as server:
        for name, config in ((tiny, Config()), ("a", hosted(server.url))):
            session = Session(config)
            blocks = session.models.get(name).stream((f"text {at}" for at in range(9000)), "document")
            count = len(next(blocks))
            session.close()
            try:
                count += sum(len(block) for block in blocks)
                assert count == 9000
            except EmbassayError:
                pass
            with pytest.raises(UsageError, match="closed"):
                session.models.get(name)
