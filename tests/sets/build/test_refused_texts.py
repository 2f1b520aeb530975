"""One text that a service cannot embed is quarantined with its file and lines, and the rest of the run goes on."""

from __future__ import annotations

import pytest

from embassay.config.values import CacheConfig, Config, EmbeddingsConfig
from embassay.errors import ProviderDown
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from tests.embedders.http.bad_texts import BAD, KINDS, service
from tests.embedders.http.services import GOOD
from tests.servers import Answer, serving
from tests.sets.indexed import rows

SOME = ("500", "403 of a firewall", "the connection breaks", "200 with an error", "NaN", "zero", "null for the item",
        "no vector, other indexes", "NaN for all")  # fmt: skip
"""Of the kinds: each of them is tried on the driver."""
POISON = (
    f"# Poison\n\nGood words come first, and there are enough of them to fill a chunk.\n\n## Then\n\n{BAD} is here.\n"
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Pauses between attempts are not what is tested here."""
    monkeypatch.setattr("embassay.embedders.http.connection.BACKOFF", 0.001)


@pytest.fixture
def server():
    with serving(GOOD) as running:
        yield running


@pytest.fixture
def home(server, docs, tmp_path):
    model = {"provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "max_tokens": 32}
    config = Config(
        embeddings=EmbeddingsConfig(models={"served": model}, default_model="served"),
        cache=CacheConfig(path=str(tmp_path / "cache.db")),
    )
    with Session(config) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as opened:
        yield opened


def asked(server) -> list[str]:
    """The texts of all requests since this was asked last."""
    texts = [text for request in server.received if request.method == "POST" for text in request.json["input"]]
    server.received.clear()
    return texts


@pytest.mark.parametrize("name", SOME)
def test_the_rest_of_the_run_goes_on(name, home, docs, server):
    server.handle = service(KINDS[name])
    (docs / "bad.md").write_text(POISON)
    report = home.index([docs])
    ((path, reason),) = report.quarantined
    assert path == "docs/bad.md" and reason.startswith("lines 5-7: openai/m")
    assert not any(BAD in chunk.text for chunk, _ in rows(home).values())
    assert any("enough of them" in chunk.text for chunk, _ in rows(home).values()), "the file's other chunk is there"
    assert home.search("rotate the key").hits

    asked(server)
    (docs / "new.md").write_text("# Zebras\n\nA harmless new file.\n")
    report = home.index([docs])
    assert report.quarantined == ((path, reason),) and report.embedded == 1
    assert not any(BAD in text for text in asked(server)), "it is not paid for again"

    server.handle = GOOD
    assert home.index([docs]).quarantined == ((path, reason),), "not until somebody asks"
    assert home.index([docs], retry_failed=True).quarantined == ()
    assert any(BAD in chunk.text for chunk, _ in rows(home).values())


def test_a_file_that_changes_is_tried_again(home, docs, server):
    server.handle = service(KINDS["NaN"])
    (docs / "bad.md").write_text(POISON)
    home.index([docs])
    (docs / "bad.md").write_text(POISON.replace(BAD, "Honey"))
    assert home.index([docs]).quarantined == ()


def test_a_service_that_fails_on_everything_blames_no_file(home, docs, server):
    home.index([docs])
    server.handle = lambda request: Answer(b"", 500)
    for at in range(20):
        (docs / f"more{at}.md").write_text(f"# File {at}\n\nA harmless text.\n")
    with pytest.raises(ProviderDown):
        home.index([docs])
    assert len(server.received) < 40
    server.handle = GOOD
    assert home.index([docs]).quarantined == ()
