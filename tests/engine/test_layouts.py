"""What the engine builds is what the catalog says that it builds."""

from __future__ import annotations

from pathlib import Path

from embassay.catalog.architectures import ARCHITECTURES, is_built_here
from embassay.engine.encoder import read_encoder
from embassay.engine.fields import Fields
from embassay.engine.layouts import LAYOUTS


def test_the_catalog_and_the_engine_name_the_same_architectures():
    assert {name for name in ARCHITECTURES if is_built_here(name)} == set(LAYOUTS)
    assert not is_built_here("static") and not is_built_here("")


def test_positions_start_behind_padding_where_the_layout_says_so():
    def start(name, **config):
        return read_encoder(Fields(Path("config.json"), {"model_type": name, **config}), "test").unused_positions

    assert [start(name) for name in LAYOUTS] == [0, 2, 2, 2, 2, 0]
    assert [start(name, pad_token_id=0) for name in LAYOUTS] == [0, 1, 1, 1, 2, 0]
