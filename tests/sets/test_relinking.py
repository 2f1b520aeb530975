"""A set whose model is found elsewhere, or under another name: proven equal, and nothing is embedded anew."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from embassay.config.values import CacheConfig, Config, EmbeddingsConfig
from embassay.errors import MigrationState, SpaceMismatch, UsageError
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import switch
from embassay.sets.migration.target import MigrationTarget
from tests.servers import Swappable, serving

TEXTS = [f"Text {i} says how key {i % 7} and lock {i % 5} are rotated in house {i}." for i in range(50)]


@pytest.fixture
def services():
    """Two services of one model."""
    return Swappable(), Swappable()


@pytest.fixture
def project(services, tmp_path):
    """Opens a home whose models ``here`` and ``there`` are served at two addresses, as a new process would."""
    with serving(services[0]) as one, serving(services[1]) as other:

        @contextmanager
        def opened(**there):
            shared = {"provider": "openai", "model_id": "m", "max_tokens": 512, "retries": 0, "cache_enabled": False}
            models = {
                "here": shared | {"base_url": one.url},
                "there": shared | {"base_url": other.url, "model_id": "n"} | there,
            }
            config = Config(
                embeddings=EmbeddingsConfig(models=models, default_model="here"),
                cache=CacheConfig(path=str(tmp_path / "cache.db")),
            )
            with Session(config) as session, Home(HomeFolder(tmp_path / ".embassay"), session) as home:
                yield home

        with opened() as home:
            home.set("docs").upsert([{"id": str(i), "text": text} for i, text in enumerate(TEXTS)])
        yield opened


def finds(home, number=7):
    """Whether a text is found by itself, by vectors alone."""
    return home.set("docs").search(TEXTS[number], k=1, mode="dense").hits[0].chunk.document == str(number)


def test_a_set_is_relinked_and_back(project, services):
    with project() as home:
        docs = home.set("docs")
        assert finds(home)
        was = home._sets.live("docs")
        asked = services[1].requests
        done = docs.relink("there")
        assert (done.was, done.now, done.texts) == (
            "here",
            "there",
            30,
        )  # two of the longest are of those all over as well
        assert set(done.least) == {"query", "document", "texts"} and min(done.least.values()) > 0.999
        assert services[1].requests - asked < 12, "a sample is embedded, and not the set"
        now = home._sets.live("docs")
        assert (now.id, now.name) == (was.id, was.name) and now.space != was.space
        before = services[0].requests
        assert finds(home), "the index that was open is not of the former model"
        docs.upsert([{"id": "new", "text": "A word of elephants."}])
        assert docs.search("A word of elephants.", k=1, mode="dense").hits[0].chunk.document == "new"
        assert services[0].requests == before, "the former provider is not asked any more"
        happened = home._sets.state.history.of("docs")[0]
        assert happened.what == "relinked" and happened.detail["to"] == "there"
    with project() as home:
        assert finds(home), "a new process finds it so"
        assert home.set("docs").relink(back=True).now == "here"
        assert home._sets.live("docs").space == was.space and finds(home)


def test_an_open_process_follows(project):
    with project() as one, project() as other:
        assert finds(one) and finds(other)
        one.set("docs").relink("there")
        assert finds(other)
        other.set("docs").upsert([{"id": "new", "text": "A word of elephants."}])
        assert one.set("docs").search("A word of elephants.", k=1, mode="dense").hits[0].chunk.document == "new"


@pytest.mark.parametrize(
    ("different", "message"),
    [
        ({"model": "another"}, r"the cosine -?\d\.\d\d to what it was"),
        ({"dimensions": 32}, "dimensions of set 'docs' is 64"),
    ],
)
def test_another_model_is_refused_with_the_figure(project, services, different, message):
    vars(services[1]).update(different)
    with project() as home:
        was = home._sets.live("docs")
        with pytest.raises(SpaceMismatch, match=message):
            home.set("docs").relink("there")
        assert home._sets.live("docs") == was and finds(home)
        assert all(one.what != "relinked" for one in home._sets.state.history.of("docs"))


def test_a_model_that_differs_as_query_alone_is_refused(project):
    with project(query_prompt="query: ") as home, pytest.raises(SpaceMismatch, match="as query, a text that is known"):
        home.set("docs").relink("there")


def test_a_model_that_takes_fewer_tokens_is_refused(project):
    with project(max_tokens=64) as home, pytest.raises(UsageError, match=r"takes .* tokens; chunks of set 'docs'"):
        home.set("docs").relink("there")


def test_what_is_no_relinking(project):
    with project() as home:
        docs = home.set("docs")
        with pytest.raises(UsageError, match="has the model here already"):
            docs.relink("here")
        with pytest.raises(UsageError, match="never relinked"):
            docs.relink(back=True)
        with pytest.raises(UsageError, match="either"):
            docs.relink()
        begin(home._sets, "docs", MigrationTarget.of("hash/64"))
        with pytest.raises(MigrationState, match="is being migrated"):
            docs.relink("there")


def test_a_reduced_set_is_relinked_behind_its_projection(project):
    with project() as home:
        begin(home._sets, "docs", MigrationTarget.of(None, pca=12))
        run(home._sets, "docs")
        switch(home._sets, "docs")
        home.set("docs").relink("there")
    with project() as home:
        live = home._sets.live("docs")
        assert live.spec.model == "there" and live.space.transform.startswith("pca-12:") and finds(home)
