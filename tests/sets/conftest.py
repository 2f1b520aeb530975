from __future__ import annotations

import pytest

import embassay
from tests.tiny import CASES, write_model


@pytest.fixture
def model(tmp_path):
    """A tiny model, so that a run is a matter of milliseconds."""
    return str(write_model(tmp_path / "model", CASES["bert"]))


@pytest.fixture
def home(docs, model):
    with embassay.open(docs.parent / ".embassay") as opened:
        yield opened
