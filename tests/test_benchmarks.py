"""Every benchmark runs on a few texts, so that a renamed function breaks a test and not a benchmark years later.

What they measure means nothing here; what is checked is that they measure it, and that `benchmarks.beside` finds
differences.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import embassay
from benchmarks import (
    beside,
    cli,
    common,
    dashboard,
    engine,
    growth,
    hot_vectors,
    hot_words,
    ingest,
    kills,
    label,
    languages,
    load,
    low_scores,
    maxsim,
    migrate_kills,
    models,
    processes,
    quality,
    records,
    rerank,
    sabotage,
    search,
    serve,
    soak,
    spaces,
    stages,
    switching,
    titles,
    verdicts,
    warm,
    watch,
    workers,
)
from benchmarks.checkouts import Checkout, Taken, measured
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local
from embassay.engine.classifiers import load_classifier
from embassay.evaluate.data.judged import read_judged
from embassay.models.registry import Registry
from embassay.search.modes import pipeline
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.monitor.test_low_scores import QUERIES, RECORDS
from tests.monitor.test_low_scores import judged as made_questions
from tests.tiny import CASES, TEXTS, WORDS, write_model

ROOT = Path(__file__).parents[1]
JUDGED = ROOT / "examples" / "judged"


class FakePeer:
    """Answers as the peer's process does, with the vectors of an embedder of ours."""

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._embedder = embedder

    def ask(self, *, texts: list[str], vectors: bool = False) -> dict[str, object]:
        made = self._embedder.embed(texts, "document").vectors.tolist() if vectors else None
        return {"seconds": 0.001 * len(texts), "vectors": made}

    def __enter__(self) -> FakePeer:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"), CASES["bert"])


@pytest.fixture(scope="module")
def tiny(weights) -> LocalEmbedder:
    return open_local(str(weights), precision="f32")


@pytest.fixture
def corpus(tmp_path) -> Path:
    """256 short records, enough for an index of vectors."""
    rows = [{"_id": str(at), "text": f"{WORDS[at % 16]} {WORDS[at // 16]} number {at}"} for at in range(16 * 16)]
    file = tmp_path / "corpus.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def home(tmp_path, corpus, weights):
    with embassay.open(tmp_path / "home" / ".embassay") as opened:
        opened.index([corpus], model=str(weights))
        yield opened


def what(rows: list[common.Row]) -> list[str]:
    assert all(np.isfinite(row.ours) for row in rows)
    return [row.what for row in rows]


def test_engine(tiny):
    peer, engines = FakePeer(tiny), {"f32": tiny}
    (same,) = engine.same_vectors(TEXTS, engines, peer)
    assert same.met and same.ours == pytest.approx(1)
    (rate,) = engine.throughput("short", TEXTS, engines, peer, {"f32": 0}, rounds=1)
    assert rate.peer == pytest.approx(1000, rel=0.01) and rate.ratio == pytest.approx(rate.ours / 1000, rel=0.01)
    assert what(engine.one_query(TEXTS[:2], tiny, peer, rounds=1, pause=0)) == ["one query, bf16 (per second)"]
    rows = warm.one_query(lambda: peer, "hash/64", rounds=1)
    assert what(rows) == ["the first call of a program", "a later call"] and rows[1].met
    (share,) = engine.share_of_peak(tiny, TEXTS, peak_width=64)
    assert share.ours > 0


class FakeCrossEncoder:
    """Answers as the peer's process does, with the scores of a cross-encoder of ours."""

    def ask(self, *, cross_encoder: str, query: str, texts: list[str]) -> dict[str, object]:
        values = load_classifier(cross_encoder, "f32").scorer.score(query, texts).values[:, 0]
        return {"seconds": 0.001 * len(texts), "cpu": 0.002 * len(texts), "scores": values.tolist()}


def test_rerank(tmp_path, monkeypatch):
    texts = [" ".join(np.random.default_rng(at).choice(WORDS, 9)) for at in range(20)]
    monkeypatch.setattr(rerank, "jsonl", lambda _: iter([{"title": "", "text": text} for text in texts]))
    models = {"f32": load_classifier(str(write_cross_encoder(tmp_path / "model", SHAPES["bert"])), "f32")}
    monkeypatch.setattr(rerank, "ORDER", {"f32": 0.99})
    furthest, alike = rerank.same_scores(models, FakeCrossEncoder(), str(tmp_path / "model"))
    assert furthest.met and furthest.ours == 0 and alike.ours == pytest.approx(1)
    clock, cpu = rerank.speed(models, FakeCrossEncoder(), str(tmp_path / "model"), "key", texts, rounds=1)
    assert clock.peer == pytest.approx(1000, rel=0.01) and cpu.peer == pytest.approx(500, rel=0.01)


def test_the_cross_encoder_of_the_benchmark_runs(tmp_path):
    rerank.write_model(tmp_path)
    values = (
        load_classifier(str(tmp_path), "int8").scorer.score("rotate a key", ["how a key is rotated", "rain"]).values
    )
    assert values.shape == (2, 1) and values[0] != values[1]


def test_growth(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "WORK", tmp_path)
    rows = growth.rows(TEXTS, 20, 60)
    assert what(rows)[0] == "CPU a row: 60 rows against 20"
    assert all(row.ours > 0 and row.ratio for row in rows)
    assert len({*growth.pairs(TEXTS, 30)}) == 30


def test_ingest(tiny, corpus, tmp_path):
    assert len(what(ingest.end_to_end(corpus, TEXTS, tmp_path / "home" / ".embassay", tiny))) == 4
    (tmp_path / "docs").mkdir()
    for at in range(5):
        (tmp_path / "docs" / f"{at}.md").write_text(f"# Page {at}\n\nSome text.\n")
    changed, nothing = ingest.one_changed_file(tmp_path, rounds=1, pause=0)
    assert "of 5 files" in changed.what and nothing.peer == changed.peer


def test_sabotage(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(sabotage, "WORK", tmp_path)
    monkeypatch.setattr(sabotage, "FROM", f"{weights}@f32")
    other = write_model(tmp_path / "other", CASES["bert"], seed=8)
    texts = [" ".join(np.random.default_rng(at).choice(WORDS, 12)) for at in range(40)]
    chunks = [sabotage.chunk(f"d{at}", f"Page {at}", " ", text) for at, text in enumerate(texts)]
    rows = {row.what: row for row in sabotage.measure(chunks, f"{other}@f32", runs=1)}
    found = [row for name, row in rows.items() if name.startswith("caught")]
    assert len(found) == len(sabotage.SABOTAGES) and all(row.met for row in found)
    assert rows["a sound generation is refused"].met and 40 < rows["texts that a verification embeds"].ours <= 600


def test_records(tiny, weights, tmp_path):
    rows = records.handed_over(tmp_path, TEXTS, tiny, grown=2, model=str(weights))
    assert len(what(rows)) == 10 and all(row.ours > 0 for row in rows)
    assert sum(row.what.startswith("one upsert until another process finds it") for row in rows) == 2


def test_search(home, tiny):
    queries = ["rotate a key", "proxy server", "quarterly report"]
    rows = search.latency(home, queries, lambda: FakePeer(tiny)) + search.exactness(home, queries)
    assert {row.what: row.ours for row in rows}["dense recall@10 against exact search"] == 1
    assert len(rows) == 9


def test_hot_vectors(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(hot_vectors, "WORK", tmp_path)
    monkeypatch.setattr(hot_vectors, "CENTRES", 20)
    for name, seed, count in (("queries", 1, 4), ("glosses", 2, 300), ("others", 3, 100)):
        np.save(tmp_path / f"hot-{name}.npy", next(hot_vectors.clustered(count, seed)))
    size = hot_vectors.Size(1, 4, 300, 400, 6000)
    rows = {row.what: row for row in hot_vectors.real(size, lambda: FakePeer(tiny)) + hot_vectors.million(size)}
    assert rows["300 glosses: recall@100"].ours == rows["400 texts, one thread: recall@10"].ours == 1
    assert rows["6,000 clustered rows: recall@10"].ours == 1


def test_hot_words(tmp_path):
    texts = [f"Page {at}\nHow needle{at % 5} is found in straw{at} of barn{at % 3}." for at in range(60)]
    rows = {row.what: row for row in hot_words.measured(tmp_path, texts, ["needle3 straw7", "a barn1"], times=2)}
    assert len(rows) == 13 and rows["queries whose scores are those of bm25s"].met
    assert all(row.ours > 0 for row in rows.values())


def test_languages(tmp_path):
    paragraph = {"context": "当备份服务器磁盘已满时", "qas": [{"id": "q1", "question": "备份服务器"}]}
    other = {"context": "员工应当先填写申请表", "qas": [{"id": "q2", "question": "申请表"}]}
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": [{"paragraphs": [paragraph, other]}]}))
    data = languages.squad("zh", file)
    embedder = Registry().get(languages.WORDS_ALONE)
    rows = {row.what: row for row in languages.lexical("zh", data, embedder, place=tmp_path)}
    assert [row.ours for name, row in rows.items() if "Lance's" not in name] == [1.0, 1.0]
    assert all(row.ours > 0.5 for row in languages.mixed([data, data], embedder)), "two documents of each text"


def test_quality(minilm, tmp_path):
    data = read_judged(JUDGED, "test")
    embedder = quality.Remembering(minilm)
    for store in ("memory", "lance"):
        assert quality.score(data, embedder, pipeline("hybrid"), store, place=tmp_path).metrics["nDCG@10"] > 0.5


def test_cli(home, corpus, tmp_path):
    cli.fill(home.folder, [corpus], tmp_path / "vectors.npz")
    assert len(np.load(tmp_path / "vectors.npz")["vectors"]) == len(common.stored(home)[0]) == 256
    ours, ratio = cli.start_to_answer(home.folder, ["true"], rounds=1)
    assert ours.ours > 0 and ratio.met is False  # nothing is faster than doing nothing


def test_models(tiny, tmp_path, docs):
    texts = [f"text {at}" for at in range(8)]
    assert len(what(models.hashing(texts, rounds=1))) == 2
    assert len(what(models.cache_hits(texts, texts[:2], tiny, tmp_path))) == 3
    assert "chunks again" in what(models.indexing_twice([docs], tmp_path / "twice"))[0]
    assert len(what(models.http_overhead(rounds=2))) == 2
    assert what(models.in_flight(count=8, pause=0.01))
    computed, _ = models.coalescing(texts[:3], tiny, tmp_path, calls=20)
    assert computed.ours == 3 and computed.met
    assert what(models.start_up(tmp_path, rounds=1))


def test_watch(tmp_path):
    rows = {row.what: row for row in watch.rows(tmp_path, changes=60, saves=1, seconds=0.5)}
    assert len(what(list(rows.values()))) == 4
    assert [row.met for name, row in rows.items() if "missed" in name] == [True]


def test_label(tmp_path):
    questions = tmp_path / "questions.jsonl"
    (tmp_path / "tree").mkdir()
    for at in range(30):
        (tmp_path / "tree" / f"{at}.md").write_text(f"# Part {at}\n\nHow needle{at % 5} is found in straw{at}.\n")
    asked = [{"query": f"needle{at}", "relevant_docs": {f"{at}.md": 2}} for at in range(3)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in asked))
    (tmp_path / "place").mkdir()
    rows = label.rows(tmp_path / "place", tmp_path / "tree", questions, candidates=("hash/64", "hash/64@lexical"))
    bar, with_rest, keys, fewer, *_ = [row.ours for row in rows]
    assert keys == 30 and 60 <= bar < 70 and 3 <= fewer < 30 and with_rest < bar


def test_verdicts(tmp_path):
    assert verdicts.trec_eval(1_000).met
    assert what(verdicts.statistics(1, queries=50))
    rows = verdicts.scifact(tmp_path, read_judged(JUDGED, "test"), simulations=2)
    assert len(what(rows)) == 6
    assert what(verdicts.power(simulations=2))


def test_a_report_can_be_read_by_programs(capsys):
    common.report("some", [common.at_most("time", 2, 1, "s", peer=4)], as_json=True)
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["ratio"] == 0.5 and row["met"] is False


def run_beside(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.beside", str(ROOT), "--small", "--json", *arguments]
    env = os.environ | {"EMBASSAY_BENCH": str(place)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_checkout_beside_itself_has_equal_hits(tmp_path):
    done = run_beside(tmp_path, "--hits")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert len(rows) == 2 * len(beside.SEARCHES) and all(row["met"] for row in rows)


def test_a_checkout_beside_itself_is_measured(tmp_path):
    done = run_beside(tmp_path, "--only", "models")
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows.keys() == {"cache hits, 8 texts", "one request of 32 texts over HTTP"}, done.stderr
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows.values())


class Pretended(Checkout):
    """Runs nothing: remembers its commands; ours takes half as long as the parent's."""

    def __init__(self, label: str, work: Path) -> None:
        super().__init__(ROOT, label, work=work)
        self.commands: list[str] = []

    def run(self, *arguments: str) -> Taken:
        self.commands.append(arguments[0])
        share = 0.5 if self.label == "ours" else 1.0
        candidates = [{"metrics": {"nDCG@10": 0.7}}] * 3
        return Taken(share, share, 100 * share, json.dumps({"candidates": candidates}))


@pytest.mark.parametrize(
    ("part", "commands"),
    [("start", {"index", "--version", "search"}), ("ingest", {"index"}), ("quality", {"compare"})],
)
def test_whole_commands_are_measured_in_turns(part, commands, tmp_path):
    both = (Pretended("ours", tmp_path), Pretended("parent", tmp_path))
    rows = beside.PARTS[part](both, beside.SMALL)
    assert set(both[0].commands) == set(both[1].commands) == commands
    assert all(row.ratio == (1 if row.bar == "equal" else 0.5) for row in rows) and len(rows) > 3


def test_other_hits_and_other_scores_are_told(capsys):
    hit, lower, other = ["k1", "a.md", [1, 2], 0.5], ["k1", "a.md", [1, 2], 0.4], ["k2", "b.md", [1, 2], 0.5]
    hits, scores = beside.differences("dense", ["same", "lower"], [[hit], [hit]], [[hit], [lower]])
    assert (hits.ours, hits.met) == (0, True) and scores.ours == pytest.approx(0.1) and not scores.met
    hits, scores = beside.differences("dense", ["same", "other"], [[hit], [hit]], [[hit], [other]])
    assert (hits.ours, hits.met) == (1, False) and scores.met
    assert "'other'" in capsys.readouterr().err
    assert not beside.differences("dense", ["fewer"], [[hit]], [[]])[0].met


def test_low_scores_are_counted_of_deleted_documents_and_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(low_scores, "WINDOWS", 20)
    with embassay.open(tmp_path / ".embassay") as home:
        rows = low_scores.measured(home, "hash, made", "made", made_questions([*QUERIES]), "hash/256", 1)
        assert home.set("made").status().documents == RECORDS, "what was deleted is back"
    removed, present, *_ = (row.ours for row in rows)
    assert removed > 0.5 and present < 0.2 and rows[6].what.startswith("  windows of 200 that alert, 0%")


def test_slower_than_the_parent_breaks_the_bar():
    assert beside.no_slower("x", [[1.0, 1.0], [1.05, 1.0]], "s").met
    assert not beside.no_slower("x", [[1.2, 1.0], [1.3, 1.0]], "s").met
    assert not beside.no_slower("x", [[0.5, 1.0]], "s", most=0.25).met


def test_a_process_is_measured_alone_and_its_failure_is_told(tmp_path):
    script = "import sys; x = bytearray(80_000_000); sum(range(3_000_000)); print('done')"
    taken = measured([sys.executable, "-c", script], dict(os.environ), tmp_path)
    assert taken.output == "done\n" and taken.megabytes > 80 and taken.cpu > 0
    with pytest.raises(RuntimeError, match="broken"):
        measured([sys.executable, "-c", "raise SystemExit('broken')"], dict(os.environ), tmp_path)


def test_a_checkout_knows_the_name_of_its_package(tmp_path):
    (tmp_path / "old" / "src" / "before").mkdir(parents=True)
    (tmp_path / "old" / "src" / "before" / "__init__.py").touch()
    old = Checkout(tmp_path / "old", "parent", work=tmp_path)
    assert (Checkout(ROOT, "ours", work=tmp_path).package, old.package) == ("embassay", "before")
    assert old.home("x") == tmp_path / "beside" / "parent" / "x" / ".before"
    assert old.environment["BEFORE_CONFIG"] and old.environment["PYTHONPATH"] == str(tmp_path / "old" / "src")


def test_random_changes_of_one_thing_each():
    """The bars themselves: nothing wrong is accepted, nothing is refused for nothing, nothing is unexpected."""
    found = spaces.run(40, seed=11)
    assert found.broken == [] and found.ends["accepted"] > 5 and found.ends["refused"] > 5


def test_kills(tmp_path):
    wrong, left, _ = kills.killed(tmp_path, kills=4, seed=1)
    assert wrong.met and left.met


def test_work_that_was_lost_is_counted_from_the_text_behind_the_last_stored_one():
    computed = [(10.0, 5), (11.0, 5), (12.5, 5), (14.0, 5)]
    assert [processes.lost_seconds(computed, stored) for stored in (20, 15, 14, 1, 0)] == [0.0, 1.5, 1.5, 4.0, 4.0]


def test_moves_that_are_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(migrate_kills, "NEW", str(write_model(tmp_path / "model", CASES["bert"])))
    monkeypatch.setattr(migrate_kills, "MOVED", ("backfilling", "writing", "switching"))
    monkeypatch.setattr(migrate_kills, "ALIKE", 0.99)
    rows = migrate_kills.killed(tmp_path / "kills", kills=3, texts=40, seed=1)
    assert [row.what for row in rows if row.met is False] == []


def test_moves_by_a_service_that_are_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(migrate_kills, "HOSTED", ("backfilling",))
    rows = migrate_kills.hosted(tmp_path / "kills", kills=1, texts=40, seed=1)
    assert [row.what for row in rows if row.met is False] == []


def test_texts_that_are_sent_again_are_told_apart_by_whether_their_reply_had_arrived():
    counted = migrate_kills.Counted(lambda _: None)
    counted.sent = {"in flight": [1.0, 5.0], "arrived": [1.0, 5.0], "once": [1.0], "later": [5.0]}
    counted.replied = {"in flight": [1.95], "arrived": [1.5], "once": [1.5], "later": [6.0]}
    assert migrate_kills.again(counted, [0.5, 2.0, 4.0]) == (2, 1)


def test_switching(tmp_path):
    """Switches beside searches fail none and mix none, and no write is lost in either generation."""
    (tmp_path / "searches").mkdir()
    (tmp_path / "writes").mkdir()
    switching.prepared(tmp_path / "searches", records=300)
    busy = switching.searched(tmp_path / "searches", 800, switching=True)
    assert (busy.errors, busy.mixed, busy.searches) == ([], 0, 800) and busy.switches > 1 and busy.spaces == 2
    writes = switching.written(tmp_path / "writes", 4.0, records=40)
    assert writes.records > 0 and set(writes.lost.values()) == {0} and len(writes.lost) == 3
    assert [row.met for row in switching.rows_of(busy, busy, writes) if row.bar == "0"] == [True, True, True]


def test_maxsim():
    (scores,) = [found for _, found in maxsim.measured([read_judged(JUDGED, "test")])]
    assert all(0 <= value <= 1 for value in (scores.before, scores.full, scores.kept))
    assert scores.chunk_bytes > 48 and scores.milliseconds


def test_stages(minilm, home):
    judged = read_judged(JUDGED, "test")
    queries = dict([*judged.queries.items()][:3])
    few = replace(judged, queries=queries, qrels={query: judged.qrels[query] for query in queries})
    tried = {name: text for name, text in stages.STAGES.items() if "coarse" not in text}  # these are too few rows
    rows = [*stages.measured({"ours": few}, minilm, tried), *stages.slips({"ours": few}, minilm)]
    assert [one.what.partition(" [")[0].partition(", ")[2] for one in rows] == [*tried, *stages.SPELT]
    assert all(0 <= row.ours <= 1 and row.peer for row in rows)
    pages = [*stages.measured({"by page": stages.by_page(few)}, minilm, stages.GROUPED, chunks=True)]
    assert len(pages) == len(stages.GROUPED)
    for stage in ("--mode dense", "prf(10)", "mmr(0.7)"):
        row = stages.cost(home, stage, stages.STAGES[stage], ["rotate a key", "proxy server"])
        assert row.ours > 0 and row.ratio


def test_titles(minilm, tmp_path):
    by = titles.scores(read_judged(JUDGED, "test"), minilm)
    rows = titles.quality({"ours": by})
    assert len(rows) == 4 * len(titles.WEIGHTS) and all(0 <= row.ours <= 1 for row in rows)
    texts = [f"Page {at}\nHow needle{at % 5} is found in straw{at} of barn{at % 3}." for at in range(60)]
    made = {row.what: row for row in titles.costs(tmp_path, texts, ["needle3 straw7", "a page"])}
    assert len(made) == 3 and made["their bytes, a row"].ours > 0


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")
def test_a_server_under_load_of_the_benchmark(tmp_path):
    texts = load.Requests("/v1/embeddings", ['{"input": "one"}', '{"input": "two"}'])
    wrong = load.Requests("/v1/embeddings", ["{}"])
    with load.served(tmp_path / ".embassay") as target:
        full = load.wrk(target, texts, clients=2, seconds=1)
        half = load.wrk(target, texts, clients=2, seconds=1, pause_ms=200)
        failed = load.wrk(target, wrong, clients=1, seconds=1)
        listed = load.wrk(target, load.Requests("", ["/v1/models"], "GET"), clients=1, seconds=1)
        assert target.memory() > 1e7
    assert full.requests > half.requests > 0 and full.errors == half.errors == listed.errors == 0
    assert failed.errors == failed.requests > 0
    assert full.cpu_ms > 0 and 0 < full.p50 <= full.p95


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")
def test_what_a_server_is_held_against(tmp_path, tiny, monkeypatch):
    for module, name, value in (
        (serve, "SECONDS", 1),
        (serve, "ROUNDS_OF_ONE", 1),
        (serve, "CALLS", 2),
        (serve, "BATCHES", 2),
        (serve, "SEARCHES", 4),
        (soak, "PARTS", 3),
        (workers, "WAYS", {"one process": ()}),
    ):
        monkeypatch.setattr(module, name, value)
    home = tmp_path / ".embassay"
    with embassay.open(home) as made:
        for name in ("default", "docs"):
            made.set(name).upsert([{"id": "a", "text": "Keys are rotated on Mondays."}])
    with load.served(home) as ours:
        rows = [*serve.many_clients(ours, ours, 1), *serve.one_client(ours, tiny, lambda: FakePeer(tiny))]
        rows += [*serve.batches(ours, tiny, 1), *soak.soak(ours, 3, 1)]
    rows += serve.search(["keys", "monday"], 1, home)
    rows += workers.beside(tmp_path, serve.short_texts(), 1, 1)
    assert len(rows) > 20 and all(row.ours == 0 for row in rows if "errors" in row.what)


@pytest.mark.skipif(dashboard.CHROMIUM is None, reason="needs Chromium, which is not on this machine")
def test_the_first_page_of_the_dashboard(tmp_path):
    dashboard.watched_home(tmp_path / ".embassay", checks=3)
    with load.served(tmp_path / ".embassay", model="hash/384") as ours:
        took, sent = dashboard.first_page(f"{ours.url}/", 1, None)
    assert took.ours > 0 and sent.ours > 5
