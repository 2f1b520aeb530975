"""What a migration would take is said before anything is spent or made, and holds."""

from __future__ import annotations

import pytest

import embassay
from embassay.config.reading import load_config
from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import SetNotFound, UsageError
from embassay.session import Session
from embassay.sets.migration import planning
from tests.servers import hash_openai, serving

COUNT = 300
RECORDS = [{"id": f"r{n}", "text": ("Rotate the key. " * (1 + n % 5)) + str(n)} for n in range(COUNT)]
PRICE = 100.0


@pytest.fixture
def home(tmp_path):
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set("docs").upsert(RECORDS, model="hash/64")
        yield opened


def test_nothing_is_made(home):
    found = home.set("docs").plan_migration("hash/128")
    assert (found.documents, found.chunks, found.truncated, found.usd) == (COUNT, COUNT, 0, 0.0)
    assert found.kept.usd == 0.0 and found.cpu_seconds is not None
    assert home._sets.state.migrations.of("docs") == [] and len([*(home.folder / "vectors").glob("*.lance")]) == 1


def test_tokens_of_a_part_stand_for_all(home, monkeypatch):
    whole = home.set("docs").plan_migration("hash/128").tokens
    assert whole == sum(HashEmbedder(128).tokens.count([record["text"] for record in RECORDS]))
    monkeypatch.setattr(planning, "COUNTED", 60)
    assert home.set("docs").plan_migration("hash/128").tokens == pytest.approx(whole, rel=0.1)


def test_money_is_what_the_service_bills_and_nothing_is_sent_before(home, tmp_path):
    """The plan counts verification at its most, so that it is never below the bill."""
    file = tmp_path / "embassay.yaml"
    with serving(hash_openai()) as server:
        file.write_text(
            f"embeddings: {{models: {{served: {{provider: openai, model_id: m, base_url: '{server.url}/v1', "
            f"api_key: k, usd_per_million_tokens: {PRICE}, max_tokens: 512}}}}}}"
        )
        session = Session(load_config(file, env={}), cache_file=tmp_path / ".embassay" / "cache.db")
        with session, embassay.Home(home._sets.folder, session) as own:
            planned = own.set("docs").plan_migration("served")
            assert server.received == []
            done = own.set("docs").migrate("served")
        assert 0.4 * planned.usd < done.usd < 1.3 * planned.usd, (planned, done)


def test_moves_that_need_no_model_cost_nothing_but_proof(home):
    found = home.set("docs").plan_migration(dtype="float16")
    assert found.derived and found.tokens == 0
    whole = home.set("docs").plan_migration("hash/256")
    assert whole.bytes > home.set("docs").plan_migration("hash/128").bytes


def test_what_leads_nowhere_is_refused(home):
    with pytest.raises(UsageError, match="is in the space"):
        home.set("docs").plan_migration("hash/64")
    with pytest.raises(SetNotFound):
        home.set("nope").plan_migration("hash/128")
