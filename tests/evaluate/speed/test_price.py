"""What a folder costs with a model that runs here, and with one that is hosted and asked nothing."""

import time
from pathlib import Path

import pytest

from embassay.config.reading import load_config
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.speed import speed_of
from embassay.embedders.texts.estimate import ERROR
from embassay.evaluate.speed.price import price_folder
from embassay.models.registry import Registry
from tests.servers import hash_openai, serving


def test_a_model_that_runs_here(docs):
    with Registry() as registry:
        found = price_folder(registry, "hash/64", [docs], 0.1)
    assert found.documents == 5 and found.first.chunks >= 5 and found.first.usd == 0
    assert found.speed.startswith(f"measured on {found.first.chunks} of its chunks")
    assert found.monthly.chunks == -(-found.first.chunks // 10)


def test_everything_that_was_computed_counts():
    """A stream computes ahead of what it hands out: one that was left half way would be taken for a slow model."""
    reader = _Ahead()
    found = speed_of(reader, ["rotate a key"] * 1000, 0.4)
    assert found.cpu_share > 0 and reader.computed == reader.handed_out < 1000
    whole = speed_of(_Ahead(), ["rotate a key"] * 20)
    assert whole.how.startswith("measured on 20 of its chunks")


class _Ahead(HashEmbedder):
    """Computes everything that it is given before it hands out the first of it, and takes its time for that."""

    computed = handed_out = 0

    def __init__(self):
        super().__init__(16)

    def stream(self, texts, role, on_long="truncate"):
        texts = [*texts]
        time.sleep(0.002 * len(texts))
        self.computed += len(texts)
        for text in texts:
            self.handed_out += 1
            yield from super().stream([text], role, on_long)


@pytest.mark.parametrize("model", ["svc", "svc@dims=32"])
def test_a_hosted_model_is_priced_by_its_limits(docs, tmp_path: Path, model):
    """Also behind the cut to fewer dimensions: no document is sent."""
    with serving(hash_openai(64)) as server:
        file = tmp_path / "embassay.yaml"
        file.write_text(
            f"embeddings: {{models: {{svc: {{provider: openai, model_id: text-embedding-3-small, base_url: '{server.url}/v1', "
            "concurrency: 3, batch_size: 2, usd_per_million_tokens: 0.5}}}"
        )
        with Registry(load_config(file, env={"OPENAI_API_KEY": "sk-test-key-0000"})) as registry:
            found = price_folder(registry, model, [docs], 0.0)
        assert not server.received
    assert found.speed == "assumes 3 full batches at once of half a second each"
    assert found.first.usd == pytest.approx(found.first.tokens * 0.5 / 1e6)
    assert not found.tokens_exact and found.token_error == ERROR and found.monthly.chunks == 0
