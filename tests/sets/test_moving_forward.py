"""Sets that were made before spaces named all that the engine reads: moved forward once, without embedding."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.engine.load import load
from embassay.errors import SpaceMismatch
from embassay.home import Home
from embassay.seals import seal
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.sets.generation_rows import IDENTITY
from tests.servers import Swappable, serving
from tests.sets.indexed import opened, rows

LATER = ("encoder", "tokenizer", "layers", "max_tokens", "truncation", "similarity")


def as_before(folder, **former: object) -> None:
    """Write the generations of a home as an earlier version wrote them; `former`: fields that had another value."""
    with closing(sqlite3.connect(folder / "state.db")) as db, db:
        for identity, set_name, name, space, spec in db.execute(
            "SELECT id, set_name, name, space, spec FROM generations"
        ).fetchall():
            old = {key: value for key, value in json.loads(space).items() if key not in LATER} | former
            columns = (set_name, name, json.dumps(old), spec, 1)
            db.execute(
                "UPDATE generations SET space = ?, identity = 1, seal = ? WHERE id = ?",
                (columns[2], seal(identity, *columns), identity),
            )
        db.execute("DELETE FROM canaries")


@pytest.fixture
def before(docs, model):
    """A home whose set a local model made, as an earlier version left it."""
    with embassay.open(docs.parent / ".embassay") as home:
        home.index([docs], model=model)
        folder = home.folder
    as_before(folder, weights=load(model).former_space.weights)
    return folder


def test_a_set_is_moved_forward_once(before, docs):
    with embassay.open(before) as home:
        stored = rows(home)
        assert home.search("rotate a key", mode="dense").hits
        with opened(home) as (_, generation, _store):
            assert generation.identity == IDENTITY and generation.space.tokenizer and generation.space.max_tokens
        assert rows(home) == stored, "nothing was embedded"
        assert home.index([docs]).embedded == 0
        assert home.doctor() == []


def test_the_moved_set_refuses_what_it_refused_not_before(before, model):
    with embassay.open(before) as home:
        home.search("rotate a key", mode="dense")
    config = json.loads((file := before.parent.parent / "model" / "config.json").read_text())
    file.write_text(json.dumps(config | {"layer_norm_eps": 0.1}))
    with embassay.open(before) as home, pytest.raises(SpaceMismatch, match="settings of the encoder"):
        home.search("rotate a key", mode="dense")


def test_a_set_whose_model_has_the_old_identity_but_makes_other_vectors_says_so(before, model):
    """An earlier version did not see the settings of the encoder."""
    file = before.parent.parent / "model" / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"layer_norm_eps": 1.0, "num_attention_heads": 2}))
    with embassay.open(before) as home, pytest.raises(SpaceMismatch, match="holds other vectors than"):
        home.search("rotate a key", mode="dense")
    with embassay.open(before) as home, opened(home) as (_, generation, _store):
        assert generation.identity == 1, "nothing was written"


def test_a_set_of_other_weights_says_so(before, model):
    weights = before.parent.parent / "model" / "model.safetensors"
    save_file({name: tensor + 0.5 for name, tensor in load_file(weights).items()}, weights)
    with embassay.open(before) as home, pytest.raises(SpaceMismatch, match="the weights are"):
        home.search("rotate a key", mode="dense")


def test_a_home_that_cannot_be_written_is_searched_all_the_same(before, monkeypatch):
    from embassay.errors import HomeNotWritable
    from embassay.sets.state import State

    def full(*_):
        raise HomeNotWritable("the disk is full")

    monkeypatch.setattr(State, "renew", full)
    with embassay.open(before) as home:
        assert home.search("rotate a key", mode="dense").hits


@pytest.fixture
def served(docs):
    """Opens the home of a project whose model is served, and the service."""
    service = Swappable()
    with serving(service) as server:

        @contextmanager
        def project():
            model = {"provider": "openai", "model_id": "m", "base_url": server.url, "max_tokens": 512, "retries": 0}
            config = Config(embeddings=EmbeddingsConfig(models={"served": model}, default_model="served"))
            with (
                Session(config, cache_file=docs.parent / "cache.db") as session,
                Home(HomeFolder(docs.parent / ".embassay"), session) as home,
            ):
                yield home

        yield project, service


def test_a_served_set_has_to_make_its_stored_vectors_again_and_gets_canaries(served, docs):
    project, service = served
    with project() as home:
        home.index([docs])
    as_before(docs.parent / ".embassay")
    (docs.parent / "cache.db").unlink()
    with project() as home:
        assert home.search("rotate a key", mode="dense").hits
        with opened(home) as (state, generation, _):
            anchor = state.proofs.anchor(generation.id)
            assert generation.identity == IDENTITY and anchor and np.isfinite(anchor.own["query"]).all()
    service.model = "another"
    with project() as home, pytest.raises(SpaceMismatch):
        home.search("never asked", mode="dense")


def test_a_served_set_of_before_refuses_another_model(served, docs):
    project, service = served
    with project() as home:
        home.index([docs])
    as_before(docs.parent / ".embassay")
    (docs.parent / "cache.db").unlink()
    service.model = "another"
    with project() as home, pytest.raises(SpaceMismatch, match="a stored text has the cosine"):
        home.search("rotate a key", mode="dense")
