"""Every public way to the vectors of a set leads past the same door, and a wrong model does not get through it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager

import msgspec
import numpy as np
import pytest

from embassay.canaries import CANARY_TEXTS
from embassay.config.values import CacheConfig, Config, EmbeddingsConfig, Glossary
from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import AllFailed, HomeCorrupt, SpaceMismatch
from embassay.evaluate.compare.opening import open_systems
from embassay.home import Home
from embassay.search.parse import parse_pipeline
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from tests.servers import Answer, Swappable, serving
from tests.sets.indexed import opened

EXTRA = "# Another file\n\nThe quarterly report is due on Monday.\n"


@pytest.fixture
def service():
    return Swappable()


@pytest.fixture
def project(service, docs, tmp_path):
    """Opens the home of a project whose model is served, each time as a new process would."""
    with serving(service) as server:

        @contextmanager
        def open_project(*, cache: bool = True, **settings: object):
            model = {
                "provider": "openai", "model_id": "m", "base_url": server.url, "max_tokens": 512, "batch_size": 8,
                "query_prompt": "query: ", "retries": 0, "cache_enabled": cache,
            }  # fmt: skip
            models = {"served": model | settings}
            config = Config(
                embeddings=EmbeddingsConfig(models=models, default_model="served"),
                cache=CacheConfig(path=str(tmp_path / "cache.db")),
            )
            with Session(config) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as home:
                yield home

        yield open_project


def test_a_set_whose_model_stays_is_searched(project, docs):
    with project() as home:
        home.index([docs])
    with project() as home:
        assert home.search("rotate a key", mode="dense").hits
        assert home.embed(["a text"], "document").vectors.shape == (1, 64)
        assert home.doctor() == []


def ways(docs) -> dict[str, Callable[[Home], object]]:
    def compare(home: Home) -> None:
        with open_systems(["default"], home.folder, session=home.session) as (system,):
            system.index.search("never asked", system.pipeline, measured=True)

    def stream(home: Home) -> None:
        list(home.embedder().stream(["never asked"], "document"))

    def index(home: Home) -> None:
        (docs / "new.md").write_text(EXTRA)
        home.index([docs])

    def search(home: Home) -> None:
        with home.searcher() as index:
            index.search("never asked", parse_pipeline("dense(5) >> top(5)"))

    return {
        "index": index,
        "search": lambda home: home.search("never asked", mode="dense"),
        "hybrid search": lambda home: home.search("never asked"),
        "searcher": search,
        "embed a query": lambda home: home.embed(["never asked"], "query"),
        "embed a document": lambda home: home.embed(["never asked"], "document"),
        "stream": stream,
        "the space itself": lambda home: home.embedder().embed(["never asked"], "query"),
        "compare": compare,
    }


WAYS = tuple(ways(None))


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_another_model_behind_the_same_address_is_refused(way, cache, project, service, docs):
    with project(cache=cache) as home:
        home.index([docs])
    service.model = "another"
    with (
        project(cache=cache) as home,
        pytest.raises(SpaceMismatch, match=r"makes other vectors than those of this set"),
    ):
        ways(docs)[way](home)


@pytest.mark.parametrize("way", WAYS)
def test_another_model_is_noticed_in_a_process_that_goes_on(way, project, service, docs):
    with project() as home:
        home.index([docs])
        home.search("something", mode="dense")
        service.model = "another"
        with pytest.raises(SpaceMismatch):
            ways(docs)[way](home)


def test_doctor_does_not_ask_the_cache_whether_the_cache_is_right(project, service, docs):
    with project() as home:
        home.index([docs])
    service.model = "another"
    with project() as home:
        (finding,) = home.doctor()
        assert finding.level == "problem" and "makes other vectors" in finding.message


@pytest.mark.parametrize("after", range(3, 8))
def test_a_model_that_is_swapped_in_the_middle_of_a_run_writes_nothing(after, project, service, docs):
    with project() as home:
        home.index([docs])
    for at in range(40):
        (docs / f"many{at}.md").write_text(f"# File {at}\n\n" + f"Rotate key number {at}.\n" * 3)
    service.swaps_after = service.requests + after
    with project() as home:
        with pytest.raises(SpaceMismatch):
            home.index([docs])
        with opened(home) as (_, generation, store), store.snapshot() as version:
            assert generation.set_name == "default"
            for chunks, vectors in version.scan():
                for chunk, vector in zip(chunks, vectors["vector"], strict=True):
                    assert np.allclose(vector, hashed([chunk.indexed], 64)[0], atol=1e-3), "a vector of the other model"


def test_a_run_costs_two_short_requests_more_and_a_search_none(project, service, docs):
    with project(cache=False) as home:
        home.index([docs])
    (docs / "new.md").write_text(EXTRA)
    before = service.requests
    with project(cache=False) as home:
        home.index([docs])
        assert service.requests - before == 2 + 1, "canaries in both roles, then the texts"
    before = service.requests
    with project(cache=False) as home:
        home.search("never asked", mode="dense")
    assert service.requests - before == 1, "the canaries ride with the query"


@pytest.mark.parametrize("status", [413, 400])
@pytest.mark.parametrize("settings", [{}, {"batch_size": 1}], ids=["found out", "set"])
def test_a_service_that_takes_one_text_a_request_is_proven_all_the_same(settings, status, docs, tmp_path):
    """Nothing can ride with a text there, so that the first text of a process is followed by a canary of its own."""
    service = Swappable()

    def one_at_a_time(request):
        return service(request) if len(request.json["input"]) == 1 else Answer({"error": {"message": "many"}}, status)

    with serving(one_at_a_time) as server:
        model = {"provider": "openai", "model_id": "m", "base_url": server.url, "max_tokens": 512, "retries": 0}
        config = Config(embeddings=EmbeddingsConfig(models={"m": model | settings}, default_model="m"))

        @contextmanager
        def project():
            with Session(config, cache_file=tmp_path / "cache.db") as session:
                with Home(HomeFolder(docs.parent / ".embassay"), session) as home:
                    yield home

        with project() as home:
            home.index([docs])
            home.embed(["a text"], "query")
            asked = len(server.received)
            home.embed(["another text"], "query")
            assert len(server.received) == asked + 1  # what the service takes is known by now
        service.model = "another"
        for ask in (
            lambda home: home.search("never asked", mode="dense"),
            lambda home: home.embed(["asked now"], "query"),
            lambda home: home.embed(["asked now"], "document"),
        ):
            with project() as home, pytest.raises(SpaceMismatch):
                ask(home)


@pytest.mark.parametrize("batch", [1, 8])
def test_vectors_of_another_model_do_not_stay_in_the_cache(batch, project, service, docs):
    texts = [f"text {number}" for number in range(40)]
    with project(batch_size=batch) as home:
        home.index([docs])
        service.swaps_after = service.requests + 2 + (20 if batch == 1 else 2)
        with pytest.raises(SpaceMismatch):
            home.embed(texts, "document")
    service.model, service.swaps_after = "", None
    with project(batch_size=batch) as home:
        made = home.embed(texts, "document").vectors
        assert np.allclose(made, hashed(texts, 64), atol=1e-4)


def test_what_replies_call_the_model_is_compared(project, service, docs):
    with project() as home:
        home.index([docs])
        before = service.requests
        service.name = "m-2026"
        home.search("never asked", mode="dense")
        assert service.requests - before == 2, "another name: it has to put all canaries where they were"


def test_a_cache_of_another_model_is_no_way_in(project, service, docs):
    """The cache was filled by the model that took the address over; the set has its own canaries."""
    with project(cache=False) as home:
        home.index([docs])
    service.model = "another"
    with project() as home:
        home.session.models.get("served").embed(["known query"], "query")
    with project() as home, pytest.raises(SpaceMismatch):
        home.search("known query", mode="dense")
    service.model = ""
    with project() as home:
        found = home.search("known query", mode="dense")
        assert found.hits, "and the other model's vector is not taken for the set's"
        with pytest.raises(SpaceMismatch, match="in the cache"):
            home.session.models.get("served").embed(["another query"], "query")


def test_it_is_off_only_by_name(project, service, docs):
    with project(canaries=False) as home:
        home.index([docs])
    service.model = "another"
    with project(canaries=False) as home:
        assert home.search("never asked", mode="dense").hits


def test_a_service_that_forgets_the_query_prompt_is_refused_when_documents_are_written(project, service, docs):
    with project() as home:
        home.index([docs])
    (docs / "new.md").write_text(EXTRA)
    answer = service.__class__.__call__

    class Forgetful(Swappable):
        def __call__(self, request):
            request.body = request.body.replace(b"query: ", b"")
            return answer(self, request)

    service.__class__ = Forgetful
    with project() as home, pytest.raises(SpaceMismatch, match="as query"):
        home.index([docs])


def test_an_embedder_of_ones_own_is_held_against_the_canaries(docs, tmp_path):
    class Own(Wrapper):
        salt = ""

        def stream(self, texts, role, on_long="truncate"):
            yield from super().stream([self.salt + text for text in texts], role, on_long)

    own = Own(HashEmbedder(64))

    @contextmanager
    def project():
        with Session(Config()) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as home:
            session.models.register("own", own)
            yield home

    with project() as home:
        home.index([docs], model="own")
        assert home.search("rotate", mode="dense").hits
    own.salt = "another"
    with project() as home, pytest.raises(SpaceMismatch, match="a text that is known has the cosine"):
        home.search("rotate", mode="dense")


def test_another_embedder_under_the_same_name_has_to_prove_itself(docs):
    class Salted(Wrapper):
        salt = "another"

        def embed(self, texts, role, on_long="truncate"):
            return self.inner.embed([self.salt + text for text in texts], role, on_long)

    with Session(Config()) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as home:
        session.models.register("own", Wrapper(HashEmbedder(64)))
        home.index([docs], model="own")
        home.embed(["a text"], "query")
        session.models.register("own", Salted(HashEmbedder(64)))
        with pytest.raises(SpaceMismatch, match="a text that is known has the cosine"):
            home.embed(["a text"], "query")


# -- what the home says of itself -----------------------------------------------------------------------------------


def altered(home_folder, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(home_folder / "state.db")) as db, db:
        assert db.execute(statement, values).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE generations SET space = replace(space, '\"dimensions\": 64', '\"dimensions\": 65')",
        "UPDATE generations SET space = replace(space, 'query: ', '')",
        "UPDATE generations SET spec = replace(spec, 'served', 'other')",
        "UPDATE generations SET name = 'g000000000000'",
        "UPDATE generations SET set_name = 'other'",
        "UPDATE generations SET seal = ''",
        "UPDATE canaries SET own = made || made",
        "UPDATE canaries SET role = 'query', generation = 99 WHERE role = 'document'",
        "UPDATE canaries SET made = zeroblob(length(made))",
        "UPDATE canaries SET own = 'text'",
    ],
)
def test_a_row_that_was_changed_by_hand_is_noticed(statement, project, docs):
    with project() as home:
        home.index([docs])
        folder = home.folder
    altered(folder, statement)
    with project() as home, pytest.raises(HomeCorrupt, match="damaged"):
        home.search("never asked", mode="dense")


def test_a_set_that_points_at_what_belongs_to_another_is_refused(project, docs):
    with project() as home:
        home.index([docs])
        home.index([docs], set="second")
        folder = home.folder
    altered(folder, "UPDATE sets SET live = (SELECT sum(live) FROM sets) - live")
    for name in ("default", "second"):
        with project() as home, pytest.raises(HomeCorrupt, match="belongs to"):
            home.embed(["a text"], "query", set=name)


def test_without_canaries_a_service_has_to_make_the_stored_vectors_again(project, service, docs):
    with project() as home:
        home.index([docs])
        folder = home.folder
    altered(folder, "DELETE FROM canaries")
    with project() as home:
        assert home.search("never asked", mode="dense").hits
    altered(folder, "DELETE FROM canaries")
    service.model = "another"
    with project(cache=False) as home, pytest.raises(SpaceMismatch, match="a stored text has"):
        home.search("never asked before", mode="dense")


# -- stand-ins ------------------------------------------------------------------------------------------------------


@pytest.fixture
def chained(service, docs, tmp_path):
    """A project with two services: the first may be down, the second stands in."""
    other = Swappable()
    state = {"down": False}

    def first(request):
        return Answer({"error": {"message": "down"}}, 503) if state["down"] else service(request)

    with serving(first) as one, serving(other) as two:

        @contextmanager
        def open_project(glossary: Glossary | None = None, **settings: object):
            shared = {
                "provider": "openai", "model_id": "m", "max_tokens": 512, "retries": 0, "query_prompt": "query: ",
                "cache_enabled": False,
            }  # fmt: skip
            models = {"one": shared | {"base_url": one.url}, "two": shared | {"base_url": two.url} | settings}
            chain = EmbeddingsConfig(models=models, default_model="one", fallback_chain=["one", "two"])
            with Session(Config(embeddings=chain, glossary=glossary or Glossary())) as session:
                with Home(HomeFolder(docs.parent / ".embassay"), session) as home:
                    yield home

        yield open_project, state, other


def test_a_stand_in_is_proven_in_both_roles_and_the_proof_is_kept(chained, docs):
    project, state, _ = chained
    with project() as home:
        home.index([docs])
    state["down"] = True
    with project() as home:
        assert home.search("never asked", mode="dense").hits
        (status,) = home.status()
        (proof,) = status.proven
        assert proof.model == "two" and proof.cosine > 0.99 and proof.made.startswith("20")


def test_a_stand_in_without_the_query_prompt_does_not_stand_in(chained, docs):
    project, state, _ = chained
    with project(query_prompt="") as home:
        home.index([docs])
    state["down"] = True
    with project(query_prompt="") as home:
        with pytest.raises(AllFailed, match="another one"):
            home.embed(["never asked"], "query")
        (docs / "new.md").write_text(EXTRA)
        with pytest.raises(AllFailed):
            home.index([docs])


def test_a_stand_in_of_another_revision_does_not_stand_in_whatever_its_canaries_say(chained, docs):
    project, state, _ = chained
    with project() as home:
        home.index([docs])
        settings = home.session.models.settings("one")
    state["down"] = True
    with project(revision="2") as home:
        pinned = msgspec.structs.replace(settings, revision="1")
        home.session.models.register("one", pinned)
        with pytest.raises((AllFailed, SpaceMismatch)):
            home.embed(["never asked"], "query")


def test_a_stand_in_that_changes_is_refused(chained, docs):
    project, state, other = chained
    with project() as home:
        home.index([docs])
        state["down"] = True
        assert home.search("never asked", mode="dense").hits
        other.model = "another"
        with pytest.raises(AllFailed):
            home.embed(["asked now"], "query")


def test_a_stand_in_that_nothing_else_watches_is_proven_with_each_call(chained, docs):
    """Where documents have their terms spelled out, and vectors are kept nowhere, no canary rides with its texts."""
    project, state, other = chained
    terms = Glossary(terms={"key": "secret number"}, apply_to="both")
    with project(terms) as home:
        home.index([docs])
        state["down"] = True
        assert home.embed(["never asked"], "query").model == "two"
        other.model = "another"
        with pytest.raises(AllFailed):
            home.embed(["asked now"], "query")


# -- the rows of the cache ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vectors SET vector = zeroblob(length(vector))",
        "UPDATE vectors SET vector = substr(vector, 1, 8)",
        "UPDATE vectors SET vector = 'text'",
        "UPDATE vectors SET vector = (SELECT vector FROM vectors ORDER BY rowid DESC LIMIT 1)",
        "UPDATE vectors SET tokens = 'x'",
        "UPDATE vectors SET seal = zeroblob(8)",
    ],
)
def test_a_bad_row_of_the_cache_is_a_miss(statement, project, service, docs, tmp_path):
    with project() as home:
        home.index([docs])
        home.embed(["a known text", "another one"], "query")
    with closing(sqlite3.connect(tmp_path / "cache.db")) as db, db:
        assert db.execute(statement).rowcount > 1
    with project() as home:
        made = home.embed(["a known text"], "query")
        assert np.allclose(made.vectors[0], hashed(["query: a known text"], 64)[0], atol=1e-4)
        assert made.usage.cached == 0


def test_every_canary_is_short():
    from embassay.embedders.texts.estimate import EstimatedTokens

    assert max(EstimatedTokens(512).count(list(CANARY_TEXTS))) <= 24


def test_a_home_that_moved_is_as_good_as_before(project, docs, tmp_path):
    with project() as home:
        home.index([docs])
        folder = home.folder
    moved = tmp_path / "elsewhere" / ".embassay"
    shutil.copytree(folder, moved)
    with project() as home, Home(HomeFolder(moved), home.session) as other:
        assert other.search("never asked", mode="dense").hits


def test_the_health_of_a_model_is_not_that_of_the_cache(project, service, docs):
    with project() as home:
        home.index([docs])
        assert home.session.models.health(["served"])["served"].ok
    service.model = "another"
    with project() as home:
        health = home.session.models.health(["served"])["served"]
        assert not health.ok and "in the cache" in health.message
