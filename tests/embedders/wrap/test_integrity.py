"""Through the whole stack of wrappers, vector i belongs to text i, and what was sent is what is counted.

The service is a real one on this machine whose vector is a function of the text. Calls are made of texts that are in
the cache, that are not, that come twice, that are blank, and that the service refuses in one of its ways; its replies
come in any order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from embassay.catalog.card import ModelCard
from embassay.config.values import Glossary
from embassay.embedders.base import Embedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.openai import Settings
from embassay.embedders.texts.blocks import is_blank, join
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.wrap.budget import Budget
from embassay.embedders.wrap.chain import Fallback
from embassay.embedders.wrap.cut import cut
from embassay.embedders.wrap.glossary import Terms
from embassay.errors import TextRefused
from embassay.models.cache import VectorCache
from embassay.models.canaries import KeptCanaries
from embassay.models.opening import open_model
from embassay.models.wrapping import Wrapping
from embassay.types import Embeddings
from tests.embedders.http.bad_texts import BAD, KINDS
from tests.servers import Answer, Received, Server, openai_body, serving

WHOLE, DIMENSIONS = 64, 32
LONG = "word " * 90
GLOSSARY = Glossary(terms={"JWT": "JSON Web Token"}, apply_to="both")
CARD = ModelCard(id="m", dimensions=WHOLE, matryoshka=(DIMENSIONS,), max_tokens=64, normalised=True)
COUNTS = EstimatedTokens(64)
REFUSALS = ["null", "NaN", "zero", "NaN in base64", "500 of NaN", "no vector", "no vector, no index", "spread"]
TEXTS = st.sampled_from(
    [*(f"text {at}" for at in range(12)), "a JWT", "the JWT of text 3", "", " \n", LONG, f"{BAD} 1", BAD]
)


@dataclass
class Shuffling:
    """Answers in a random order, by index from 0 or from 1, as numbers or as bytes. Bad texts it refuses in one way."""

    refusal: str = "null"
    seed: int = 0
    sent: list[str] = field(default_factory=list)
    billed: int = 0
    requests: int = 0

    def __call__(self, request: Received) -> Answer:
        if request.method == "GET":
            return Answer({"data": []})
        texts = request.json["input"]
        self.requests += 1
        self.sent += texts
        bad = [at for at, text in enumerate(texts) if BAD in text]
        if bad and self.refusal != "spread":
            answer = KINDS[self.refusal](request, bad)
        else:
            vectors = hashed(texts, WHOLE)
            if bad:
                vectors[:] = np.nan
            answer = Answer(openai_body(vectors, base64=self.seed % 3 == 0 or bool(bad), tokens=None))
        if answer.status == 200 and isinstance(answer.body, dict):
            answer.body = self._shuffled(answer.body, texts)
        return answer

    def _shuffled(self, body: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
        tokens = sum(COUNTS.count(texts))
        self.billed += tokens
        items = [item | {"index": item["index"] + self.seed % 2} for item in body["data"]]
        random.Random(self.seed).shuffle(items)
        return body | {"data": items, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    def forget(self) -> None:
        self.sent, self.billed, self.requests = [], 0, 0


@contextmanager
def stack(server: Server, cache: VectorCache, *, chain: bool) -> Iterator[Embedder]:
    """A priced model behind everything that there is: cap, cache, cut, sharing, glossary, and a chain of one."""
    chosen = Settings(
        provider="openai", model_id="m", base_url=f"{server.url}/v1", dimensions=DIMENSIONS, batch_size=5, retries=0,
        usd_per_million_tokens=1.0, concurrency=3,
    )  # fmt: skip
    plan = Wrapping(
        budget=Budget(1e9), keeper=Keeper(cache), memory=KeptCanaries(cache), coalesce=True, glossary=GLOSSARY
    )
    opened = open_model("m", chosen, CARD, plan)
    yield Fallback({"m": lambda: opened}) if chain else opened
    opened.close()


def check(made: Embeddings, texts: Sequence[str], before: set[str], service: Shuffling) -> None:
    terms = Terms(GLOSSARY.terms)
    spelled = [terms.expand(text) for text in texts]
    bad = [BAD in text for text in texts]
    assert sorted(made.refused) == [at for at, is_bad in enumerate(bad) if is_bad]
    seen = [_as_sent(text) for text in spelled]
    expected = cut(hashed(seen, WHOLE), DIMENSIONS)
    for at, text in enumerate(spelled):
        if bad[at] or is_blank(text):
            assert not made.vectors[at].any()
            continue
        assert np.abs(made.vectors[at] - expected[at]).max() < 1e-5, f"text {at} has the vector of another one"
        assert made.tokens[at] == COUNTS.count([text])[0], "known, whether it was cached or not"
        assert made.truncated[at] == (text == LONG)
    good = {text for text, is_bad in zip(spelled, bad, strict=True) if not is_bad and not is_blank(text)}
    again = {_as_sent(text) for text in before} & set(service.sent)
    assert not again, "it is in the cache"
    assert made.usage.requests == service.requests
    found = sum(text in before or text in spelled[:at] for at, text in enumerate(spelled) if text in good)
    assert made.usage.cached == found
    if not any(bad):
        assert made.usage.tokens == service.billed
        assert sorted(text for text in service.sent if text in map(_as_sent, good)) == sorted(
            map(_as_sent, good - before)
        )


def _as_sent(text: str) -> str:
    return _cut_long() if text == LONG else text


def _cut_long() -> str:
    from embassay.embedders.texts.longtext import parts_of

    (part,) = parts_of([LONG], COUNTS.count([LONG]), COUNTS, "", "truncate")
    return part.text


@given(
    first=st.lists(TEXTS, max_size=12),
    then=st.lists(TEXTS, max_size=30),
    refusal=st.sampled_from(REFUSALS),
    seed=st.integers(0, 5),
    chain=st.booleans(),
)
@hypothesis_settings(max_examples=40)
def test_vector_i_belongs_to_text_i(tmp_path_factory, first, then, refusal, seed, chain):
    service = Shuffling(refusal, seed)
    cache = VectorCache(tmp_path_factory.mktemp("cache") / "cache.db")
    with serving(service) as server, stack(server, cache, chain=chain) as embedder:
        list(embedder.stream(first, "document"))
        terms = Terms(GLOSSARY.terms)
        before = {terms.expand(text) for text in first if BAD not in text and not is_blank(text)}
        embedder.embed(["to have it proven"], "document")
        service.forget()
        made = join(list(embedder.stream(then, "document")), embedder.space, "document")
        check(made, then, before, service)
    cache.close()


@given(texts=st.lists(TEXTS, min_size=1, max_size=12), refusal=st.sampled_from(REFUSALS), seed=st.integers(0, 5))
@hypothesis_settings(max_examples=40)
def test_a_call_gives_the_same_as_a_stream_or_names_the_first_bad_text(tmp_path_factory, texts, refusal, seed):
    service = Shuffling(refusal, seed)
    cache = VectorCache(tmp_path_factory.mktemp("cache") / "cache.db")
    with serving(service) as server, stack(server, cache, chain=False) as embedder:
        embedder.embed([texts[0] if BAD not in texts[0] else "x"], "document")
        bad = [at for at, text in enumerate(texts) if BAD in text]
        if bad:
            with pytest.raises(TextRefused) as caught:
                embedder.embed(texts, "document")
            assert caught.value.position == bad[0]
        else:
            made = embedder.embed(texts, "document")
            again = join(list(embedder.stream(texts, "document")), embedder.space, "document")
            assert (made.vectors == again.vectors).all() and made.tokens == again.tokens
            assert again.usage.requests == 0 and not again.usage.tokens
    cache.close()
