"""What the engine builds is what the catalog says that it builds."""

from __future__ import annotations

from embassay.catalog.architectures import ARCHITECTURES, is_built_here
from embassay.engine.layouts import LAYOUTS
from embassay.engine.spec import position_offset


def test_the_catalog_and_the_engine_name_the_same_architectures():
    assert {name for name in ARCHITECTURES if is_built_here(name)} == set(LAYOUTS)
    assert not is_built_here("static") and not is_built_here("")


def test_positions_start_behind_padding_where_the_layout_says_so():
    starts = {name: position_offset({"model_type": name, "pad_token_id": 1}) for name in [*LAYOUTS, "unknown"]}
    behind = ("roberta", "xlm-roberta", "camembert", "mpnet")
    assert starts == {name: 2 if name in behind else 0 for name in starts}
