"""Cards that contradict themselves."""

from __future__ import annotations

import msgspec
import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.consistency import inconsistencies
from embassay.catalog.scores import Scores

GOOD = shipped().models["BAAI/bge-small-en-v1.5"]


BAD = {
    "a prompt without its space": {"prompts": {"query": "query:"}},
    "a prompt for no role": {"prompts": {"passage": "passage: "}},
    "commercial use of a non-commercial licence": {"licence": "cc-by-nc-4.0"},
    "limit above the architecture": {"max_tokens": 512, "max_tokens_architecture": 256},
    "cuts above its dimensions": {"matryoshka": (256, 768)},
    "cuts out of order": {"matryoshka": (256, 128)},
    "an empty range": {"matryoshka_range": (512, 128)},
    "a score of 700": {"scores": (Scores(source="x", values="BEIR 700"),)},
    "a score of no task": {"scores": (Scores(source="x", values="BEER 70"),)},
    "no source": {"sources": ""},
    "nobody runs it": {"provider_ids": {}},
    "size of another model": {"size_mb": 13_300},
    "no such dimensions": {"dimensions": 0},
    "an id without an owner": {"id": "bge-small"},
    "open weights with a price": {"usd_per_million_tokens": 0.1, "price_date": "2026-08-06"},
    "a limit and none": {"unlimited_tokens": True},
    "prompts and unknown": {"prompts_known": False},
}


@pytest.mark.parametrize("name", BAD)
def test_a_card_that_contradicts_itself_is_refused(name):
    assert list(inconsistencies(GOOD)) == []
    assert list(inconsistencies(msgspec.structs.replace(GOOD, **BAD[name])))
