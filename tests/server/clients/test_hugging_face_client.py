"""Hugging Face's `InferenceClient`, given the address of a server of Text Embeddings Inference."""

import asyncio

import numpy as np
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from tests.server.clients.conftest import TEXTS


def test_feature_extraction(ours):
    for address in (ours.url, f"{ours.url}/embed"):
        client = InferenceClient(address)
        assert ours.like(client.feature_extraction(TEXTS))
        assert ours.like(client.feature_extraction(TEXTS[0]), slice(0, 1))
    made = client.feature_extraction(
        TEXTS, normalize=True, prompt_name="query", truncate=True, truncation_direction="right"
    )
    assert ours.like(made)


def test_sentence_similarity(ours):
    known = ours.vectors[1:] @ ours.vectors[0]
    for address in (ours.url, f"{ours.url}/similarity"):
        made = InferenceClient(address).sentence_similarity(TEXTS[0], other_sentences=TEXTS[1:])
        assert np.allclose(made, known, atol=5e-3)


def test_asyncio(ours):
    async def ask():
        client = AsyncInferenceClient(ours.url)
        return await client.feature_extraction(TEXTS)

    assert ours.like(asyncio.run(ask()))


def test_errors_are_those_that_programs_catch(ours):
    with pytest.raises(HfHubHTTPError) as caught:
        InferenceClient(ours.url).feature_extraction("word " * 600, truncate=False)
    assert caught.value.response.status_code == 422
    with pytest.raises(HfHubHTTPError) as caught:
        InferenceClient(ours.url).feature_extraction("")
    assert caught.value.response.status_code == 400
