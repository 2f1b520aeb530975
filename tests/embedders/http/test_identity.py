"""What a hosted model is: its settings and its space."""

from __future__ import annotations

import pytest

from embassay.config.reading import checked
from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import (
    EmbassayError,
)
from tests.embedders.http.services import GOOD, model
from tests.servers import serving


def test_what_changes_the_vector_is_part_of_the_space():
    from embassay.embedders.providers.http import Settings as HttpService
    from embassay.embedders.providers.http import open_api as open_service

    with serving(GOOD) as server:
        base = {"base_url": server.url, "model_id": "m", "dimensions": 64}
        spaces = [
            HttpEmbedder(open_service(HttpService(**base, **more), None)).space
            for more in ({}, {"path": "/e5"}, {"extra_body": {"task": "x"}})
        ]
        spaces += [
            model(server, dimensions=64, **more).space
            for more in ({}, {"extra_body": {"task": "x"}}, {"headers": {"X-Route": "b"}})
        ]
        assert len(set(spaces)) == 6
        assert (
            model(server, dimensions=64, headers={"X-Api-Key": "a"}).space
            == model(server, dimensions=64, headers={"X-Api-Key": "b"}).space
        )


def test_settings_that_cannot_be():
    for wrong in (
        {"concurrency": 0},
        {"batch_size": -1},
        {"max_tokens": -5},
        {"timeout": "0s"},
        {"usd_per_million_tokens": -1},
    ):
        with pytest.raises(EmbassayError):
            checked({"provider": "openai", "model_id": "m", **wrong}, Settings, "test")
    with pytest.raises(EmbassayError, match="needs a model_id"):
        HttpEmbedder(open_api(Settings(), None))
