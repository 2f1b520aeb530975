from __future__ import annotations

import pytest

import embassay

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""A real one: tests say what is nearest to what."""


@pytest.fixture(autouse=True)
def nothing_phones_home(monkeypatch):
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "HAYSTACK_TELEMETRY_ENABLED"):
        monkeypatch.setenv(name, "false")


@pytest.fixture(scope="session")
def session():
    """The model is loaded once."""
    with embassay.Session() as shared:
        yield shared


@pytest.fixture
def home(tmp_path, session):
    with embassay.open(tmp_path / ".embassay", session=session) as opened:
        yield opened


@pytest.fixture
def empty(home):
    """A set with nothing in it."""
    home.create_set("things", model=MODEL, auto_embed=["on_create", "on_update"])
    return home.set("things")
