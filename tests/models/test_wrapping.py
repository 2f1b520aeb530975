"""What is put around a model, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from embassay.config.values import Glossary
from embassay.embedders.base import Embedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.budget import Budget
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.events import Events
from embassay.models.cache import VectorCache
from embassay.models.wrapping import Wrapping, wrap

GLOSSARY = Glossary(terms={"JWT": "JSON Web Token"})


class Remote(HashEmbedder):
    remote = True


def layers(embedder: Embedder) -> list[str]:
    """Outermost first."""
    names = []
    while isinstance(embedder, Wrapper):
        names.append(type(embedder).__name__)
        embedder = embedder.inner
    return names


@pytest.fixture
def everything(tmp_path) -> dict[str, Any]:
    return {
        "budget": Budget(1.0),
        "keeper": Keeper(VectorCache(tmp_path / "c.db")),
        "dimensions": 64,
        "coalesce": True,
        "glossary": GLOSSARY,
        "events": Events(),
    }


def test_the_order_is_that_of_the_list(everything):
    made = wrap(Remote(128), Wrapping(**everything))
    assert layers(made) == ["Observed", "Expanded", "Coalesced", "Cut", "Cached", "Capped"]


def test_an_empty_plan_leaves_the_model_as_it_is():
    model = Remote(64)
    assert wrap(model, Wrapping()) is model
    assert wrap(model, Wrapping(glossary=Glossary())) is model


def test_what_costs_nothing_has_no_cap(everything):
    assert "Capped" not in layers(wrap(HashEmbedder(128), Wrapping(**everything)))


@pytest.mark.parametrize(
    ("missing", "layer"),
    [
        ("budget", "Capped"),
        ("keeper", "Cached"),
        ("dimensions", "Cut"),
        ("coalesce", "Coalesced"),
        ("glossary", "Expanded"),
        ("events", "Observed"),
    ],
)
def test_each_is_left_out_alone(everything, missing, layer):
    whole = layers(wrap(Remote(128), Wrapping(**everything)))
    del everything[missing]
    assert layers(wrap(Remote(128), Wrapping(**everything))) == [name for name in whole if name != layer]
