"""Generations as they stand, and the runs that wrote sets."""

import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.errors import HomeNotFound
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import find_home, made_home

HASH = {"small": {"provider": "hash", "dimensions": 64}, "large": {"provider": "hash", "dimensions": 128}}
NOTES = [{"id": str(at), "text": f"note {at}"} for at in range(3)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Session(Config(embeddings=EmbeddingsConfig(models=HASH, default_model="small"))) as session:
        with Home(made_home(tmp_path / ".embassay"), session) as made:
            yield made


def test_generations_from_one_to_three(home):
    notes = home.set("notes")
    notes.upsert(NOTES)
    (live,) = notes.generations()
    assert (live.standing, live.name, live.chunks, live.dimensions) == ("live", notes.generation(), 3, 64)
    assert live.space_digest == notes.space().digest and live.bytes > 0 and live.keep_until is None
    notes.migrate("large")
    live, building = notes.generations()
    assert (building.standing, building.dimensions, building.chunks, building.model) == ("building", 128, 3, "large")
    notes.switch()
    now, before = notes.generations()
    assert (now.name, before.name, before.standing) == (building.name, live.name, "previous") and before.keep_until
    assert [one.to_dict()["standing"] for one in notes.generations()] == ["live", "previous"]
    home.create_view("first", of="notes", where='document = "0"')
    assert [one.name for one in home.set("first").generations()] == [now.name, before.name]


def test_the_newest_runs_of_all_sets_and_of_some(home, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.md").write_text(f"# {name}\n\nOtters sleep afloat.")
        home.set(name).index([tmp_path / name])
    home.set("b").migrate("large")
    assert [(one.set, one.kind, one.state) for one in home.newest_work()] == [
        ("b", "migrate", "done"), ("c", "index", "done"), ("b", "index", "done"), ("a", "index", "done"),
    ]  # fmt: skip
    assert [one.set for one in home.newest_work(2)] == ["b", "c"]
    assert [one.set for one in home.newest_work(sets=["a", "none"])] == ["a"] and not home.newest_work(sets=[])
    assert list(home.moved_sets()) == ["b"]
    home.delete_set("a")
    assert "a" not in [one.set for one in home.newest_work()]


def test_a_run_whose_process_died_is_told_so(home):
    home.set("notes").upsert(NOTES)
    state = home._sets.state
    generation = state.live("notes").id
    with state._database.writing() as db:
        db.execute(
            "INSERT INTO jobs (kind, generation, state, process, started, heartbeat) VALUES ('index', ?, 'running', ?, 1, 2)",
            (generation, "elsewhere:1:1"),
        )
    (one,) = home.newest_work()
    assert (one.state, one.process, one.ended) == ("died", "elsewhere:1", 2)


def test_a_home_without_sets(tmp_path):
    folder = tmp_path / "empty"
    with Session(Config()) as session, Home(made_home(folder), session) as home:
        with pytest.raises(HomeNotFound):
            home.newest_work()
        with pytest.raises(HomeNotFound):
            home.moved_sets()
    assert find_home(folder)
