"""Behaviour by wrapping: cut, cache, coalescing, glossary, spend cap and chains."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from embassay.config.values import Glossary
from embassay.embedders.base import Embedder
from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.capped import Budget, Capped
from embassay.embedders.wrap.chain import Fallback
from embassay.embedders.wrap.coalesced import Coalesced
from embassay.embedders.wrap.cut import Cut, check_dimensions, cut
from embassay.embedders.wrap.glossary import Expanded, Terms
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import (
    AllFailed,
    CacheError,
    ConfigError,
    DimensionsRefused,
    ProviderDown,
    RequestRefused,
    SpendCapReached,
    TextRefused,
    TextTooLong,
)
from embassay.models.cache import VectorCache
from embassay.space import Space
from embassay.testing import check_embedder
from embassay.types import Embeddings, OnLong, Role, Usage


class Counting(Wrapper):
    """Counts what reaches the model, and may be slow, priced, short-sighted, failing, or refuse a text."""

    def __init__(self, inner: Embedder, *, delay: float = 0, price: float = 0.0, limit: int | None = None) -> None:
        super().__init__(inner)
        self.texts: list[str] = []
        self.calls = 0
        self.delay, self._price, self.limit = delay, price, limit
        self.fails = False
        self.refuses = ""
        self._lock = threading.Lock()

    @property
    def price(self) -> float | None:
        return self._price

    @property
    def tokens(self):
        tokens = self.inner.tokens
        if self.limit:
            tokens.max_tokens = self.limit
        return tokens

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        source, start = iter(texts), 0
        while batch := list(islice(source, 100)):
            yield self._made(batch, role, on_long, start)
            start += len(batch)

    def _made(self, batch: Sequence[str], role: Role, on_long: OnLong, start: int) -> Embeddings:
        with self._lock:
            self.texts += batch
            self.calls += 1
        time.sleep(self.delay)
        if self.fails:
            raise ProviderDown("it is down.")
        counts = self.tokens.count(batch)
        long = [n > (self.limit or 1 << 40) for n in counts]
        if on_long == "error" and any(long):
            raise TextTooLong(start + long.index(True), max(counts), self.limit or 0)
        made = HashEmbedder(self.space.dimensions).embed(batch, role)
        refused = {i: "no" for i, text in enumerate(batch) if self.refuses and self.refuses in text}
        made.vectors[list(refused)] = 0
        truncated = [n and on_long == "truncate" for n in long]
        usage = Usage(1, sum(counts), sum(counts) * (self._price or 0) / 1e6)
        return replace(made, tokens=counts, truncated=truncated, usage=usage, refused=refused)


def counting(dimensions: int = 64, **options) -> Counting:
    return Counting(HashEmbedder(dimensions), **options)


@pytest.fixture
def cache(tmp_path) -> Iterator[VectorCache]:
    made = VectorCache(tmp_path / "cache.db")
    yield made
    made.close()


TEXTS = [f"text {i}" for i in range(50)]


# -- the contract goes through every wrapper ----------------------------------------------------------------


def test_wrappers_keep_the_contract(cache, minilm):
    check_embedder(Cached(HashEmbedder(64), cache))
    check_embedder(Coalesced(Cached(minilm, cache)))
    check_embedder(Expanded(minilm, Glossary(terms={"key": "access key"}, apply_to="both")))
    check_embedder(Fallback({"a": lambda: minilm, "b": lambda: HashEmbedder(384)}))
    check_embedder(Capped(HashEmbedder(64), Budget(1.0)))
    check_embedder(Cut(HashEmbedder(128), 64))


# -- cache --------------------------------------------------------------------------------------------------


def test_nothing_is_made_twice(cache):
    inner = counting()
    cached = Cached(inner, cache)
    first = cached.embed(TEXTS, "document")
    second = cached.embed([*TEXTS, "new"], "document")
    assert len(inner.texts) == 51
    assert (second.vectors[:50] == first.vectors).all()
    assert (first.usage.cached, second.usage.cached) == (0, 50)
    assert list(second.tokens)[:50] == list(first.tokens)


def test_role_space_and_precision_are_part_of_the_key(cache):
    inner = counting()
    cached = Cached(inner, cache)
    cached.embed(["a"], "document")
    cached.embed(["a"], "query")
    Cached(counting(128), cache).embed(["a"], "document")
    assert inner.texts == ["a", "a"]

    class Int8(Counting):
        precision = "int8"

    other = Int8(HashEmbedder(64))
    Cached(other, cache).embed(["a"], "document")
    assert other.texts == ["a"], "a vector of another precision is not what was asked for"


def test_a_text_that_comes_again_is_asked_for_once(cache):
    inner = counting()
    texts = [f"text {i % 300}" for i in range(5000)]
    blocks = list(Cached(inner, cache).stream(iter(texts), "document"))
    vectors = np.concatenate([b.vectors for b in blocks])
    assert (vectors == hashed(texts, 64)).all()
    assert sorted(inner.texts) == sorted(set(texts))


@pytest.mark.parametrize("known", [0, 1, 7, 1000, 1024, 2500, 40_000])
def test_streams_of_found_and_missing_in_any_mixture(cache, known):
    texts = [f"text {i}" for i in range(40_000)]
    rng = np.random.default_rng(known)
    some = sorted(rng.choice(len(texts), known, replace=False))
    Cached(counting(), cache).embed([texts[i] for i in some], "document")
    inner = counting()
    blocks = list(Cached(inner, cache).stream(iter(texts), "document"))
    assert (np.concatenate([b.vectors for b in blocks]) == hashed(texts, 64)).all()
    assert len(inner.texts) == len(texts) - known
    assert sum(b.usage.cached for b in blocks) == known


def test_policies_do_not_share_vectors_of_long_texts(cache):
    inner = counting(limit=5)
    cached = Cached(inner, cache)
    long = "word " * 20
    assert list(cached.embed(["a", long], "document", "truncate").truncated) == [False, True]
    assert list(cached.embed(["a", long], "document", "truncate").truncated) == [False, True]
    assert inner.texts == ["a", long]
    assert not any(cached.embed(["a", long], "document", "split").truncated)
    with pytest.raises(TextTooLong) as caught:
        Cached(inner, cache).embed(["b", "a", long], "document", "error")
    assert caught.value.position == 2
    with pytest.raises(TextTooLong) as caught:
        list(Cached(counting(limit=5), cache).stream(["a", "x", "y", long], "document", "error"))
    assert caught.value.position == 3


def test_another_limit_is_another_vector_for_a_long_text(cache):
    long = "word " * 20
    assert list(Cached(counting(limit=5), cache).embed([long], "document").truncated) == [True]
    wide = counting(limit=500)
    made = Cached(wide, cache).embed([long], "document")
    assert list(made.truncated) == [False]
    assert wide.texts == [long]
    with pytest.raises(TextTooLong):
        Cached(counting(limit=5), cache).embed([long], "document", "error")


def test_policies_do_not_push_each_other_out(cache):
    inner = counting(limit=5)
    long = "word " * 20
    for policy in ("truncate", "split", "truncate", "split"):
        Cached(inner, cache).embed([long], "document", policy)
    assert len(inner.texts) == 2


def test_cached_alone_gives_the_vectors_that_embed_gives(cache):
    for wrap in (
        lambda e: Cut(e, 32),
        lambda e: Expanded(e, Glossary(terms={"JWT": "JSON Web Token"}, apply_to="both")),
    ):
        embedder = wrap(Cached(counting(64), cache))
        made = embedder.embed(["a JWT"], "document")
        found = embedder.cached(["a JWT"], "document")
        assert (found.vectors == made.vectors).all()
        assert found.space == made.space
        assert embedder.cached(["never seen"], "document") is None


def test_cuts_of_documents_stay_within_the_bound(tmp_path):
    cache = VectorCache(tmp_path / "cache.db", max_bytes=1_000_000)
    for i in range(20):
        cache.remember({f"{i:08}{j:08}".encode(): bytes(2000) for j in range(100)})
    assert cache.stats().bytes <= 1_000_000


def test_refused_texts_are_not_kept(cache):
    inner = counting()
    inner.refuses = "text 3"
    (block,) = Cached(inner, cache).stream(["text 1", "text 3", "text 1", "text 3"], "document")
    assert dict(block.refused) == {1: "no", 3: "no"}
    inner.refuses = ""
    assert Cached(inner, cache).embed(["text 3"], "document").vectors.any()


def test_what_is_old_is_forgotten(cache):
    inner = counting()
    Cached(inner, cache).embed(["a"], "document")
    Cached(inner, cache, ttl=3600).embed(["a"], "document")
    assert inner.texts == ["a"]
    Cached(inner, cache, ttl=-1).embed(["a"], "document")
    assert inner.texts == ["a", "a"]


def test_the_file_stays_within_its_bound(tmp_path):
    cache = VectorCache(tmp_path / "cache.db", max_bytes=2_000_000)
    cached = Cached(counting(384), cache)
    for i in range(8):
        cached.embed([f"{i} {j}" for j in range(500)], "document")
    stats = cache.stats()
    assert stats.bytes <= 2_000_000
    assert 500 <= stats.entries < 4000
    before = stats.entries
    gone = cache.prune(1_000_000)
    assert gone > 0
    assert cache.stats().entries == before - gone
    assert (tmp_path / "cache.db").stat().st_size < 1_200_000


def test_hits_are_counted(cache):
    cached = Cached(counting(), cache)
    cached.embed(TEXTS, "document")
    cached.embed(TEXTS, "document")
    stats = cache.stats()
    assert (stats.entries, stats.hits, stats.misses, stats.hit_rate) == (50, 50, 50, 0.5)


def test_a_damaged_file(tmp_path):
    file = tmp_path / "cache.db"
    file.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    inner = counting()
    with pytest.raises(CacheError, match=r"is damaged.*embassay cache clear"):
        Cached(inner, VectorCache(file)).embed(["a"], "document")
    assert inner.texts == [], "nothing is paid for that cannot be kept"
    cache = VectorCache(file)
    cache.clear()
    assert Cached(inner, cache).embed(["a"], "document").vectors.any()


def test_a_newer_file(tmp_path):
    file = tmp_path / "cache.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CacheError, match="later embassay"):
        VectorCache(file).get([b"k"], "truncate")


def test_a_file_that_cannot_be_written(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("a file where a folder should be")
    inner = counting()
    with pytest.raises(CacheError, match="cannot be used"):
        Cached(inner, VectorCache(folder / "cache.db")).embed(["a"], "document")
    assert inner.texts == []


def test_a_read_only_file(tmp_path):
    file = tmp_path / "cache.db"
    first = VectorCache(file)
    Cached(counting(), first).embed(["a"], "document")
    first.close()
    cache = VectorCache(file)
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)
    cache._db = db
    assert Cached(counting(), cache).embed(["a"], "document").vectors.any()
    with pytest.raises(CacheError, match=r"cannot be used: attempt to write a readonly database.*permissions"):
        Cached(counting(), cache).embed(["b"], "document")


WRITER = """
import sys
from pathlib import Path
from embassay.models.cache import VectorCache
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.providers.hash import HashEmbedder
cached = Cached(HashEmbedder(64), VectorCache(Path(sys.argv[1])))
for i in range(40):
    cached.embed([f"{i} {j} {sys.argv[2] if j % 2 else ''}" for j in range(50)], "document")
"""


def test_processes_share_a_file(tmp_path):
    file = tmp_path / "cache.db"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(n)]) for n in range(3)]
    assert [w.wait(60) for w in writers] == [0, 0, 0]
    cache = VectorCache(file)
    assert cache.stats().entries == 40 * 25 * 4
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_writer_loses_at_most_what_it_was_writing(tmp_path):
    file = tmp_path / "cache.db"
    endless = WRITER.replace("range(40)", "range(10**9)")
    for n in range(4):
        writer = subprocess.Popen([sys.executable, "-c", endless, str(file), str(n)])
        deadline = time.monotonic() + 20
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3 + 0.1 * n)
        writer.kill()
        writer.wait()
    cached = Cached(counting(), VectorCache(file))
    texts = [f"{i} {j} " for i in range(40) for j in range(0, 50, 2)]
    assert (cached.embed(texts, "document").vectors == hashed(texts, 64)).all()


# -- coalescing ---------------------------------------------------------------------------------------------


def test_a_thousand_calls_of_fifty_texts_are_fifty(cache):
    inner = counting(delay=0.05)
    embedder = Coalesced(Cached(inner, cache))
    with ThreadPoolExecutor(64) as pool:
        made = list(pool.map(lambda i: embedder.embed([TEXTS[i % 50]], "query"), range(1000)))
    assert sorted(inner.texts) == sorted(TEXTS)
    assert all((m.vectors[0] == hashed([TEXTS[i % 50]], 64)[0]).all() for i, m in enumerate(made))


def test_overlapping_calls_share_what_they_have_in_common():
    inner = counting(delay=0.2)
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embedder.embed, ["a", "b", "c"], "query")
        time.sleep(0.05)
        two = pool.submit(embedder.embed, ["b", "d", "b"], "query")
        assert (two.result().vectors == hashed(["b", "d", "b"], 64)).all()
        one.result()
    assert sorted(inner.texts) == ["a", "b", "c", "d"]


def test_a_failure_reaches_everybody_and_is_not_remembered():
    inner = counting(delay=0.1)
    inner.fails = True
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(embedder.embed, ["a"], "query") for _ in range(4)]
        assert [type(f.exception()) for f in futures] == [ProviderDown] * 4
    inner.fails = False
    assert embedder.embed(["a"], "query").vectors.any()


def test_another_callers_refusal_is_not_ours():
    inner = counting(delay=0.2)
    inner.refuses = "BAD"
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embedder.embed, ["good", "BAD"], "query")
        time.sleep(0.05)
        two = pool.submit(embedder.embed, ["good"], "query")
        assert two.result().vectors.any()
        with pytest.raises(TextRefused, match="text 1 was refused"):
            one.result()
    assert not embedder._flying


def test_positions_survive_repeated_and_cached_texts(cache):
    inner = counting(limit=5)
    embedder = Coalesced(Cached(inner, cache))
    embedder.embed(["known"], "query")
    with pytest.raises(TextTooLong) as caught:
        embedder.embed(["a", "a", "known", "word " * 20], "query", "error")
    assert caught.value.position == 3
    inner.refuses = "BAD"
    with pytest.raises(TextRefused) as refused:
        embedder.embed(["a", "a", "known", "BAD"], "query")
    assert refused.value.position == 3


def test_what_one_caller_changes_others_do_not_see():
    inner = counting(delay=0.2)
    embedder = Coalesced(inner)

    def spoil():
        made = embedder.embed(["a"], "query")
        made.vectors[:] = 0

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(spoil)
        time.sleep(0.05)
        others = [pool.submit(embedder.embed, ["a"], "query") for _ in range(7)]
        first.result()
        assert all(other.result().vectors.any() for other in others)


# -- glossary -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("rotate the JWT", "rotate the JWT (JSON Web Token)"),
        ("JWT and JWT", "JWT (JSON Web Token) and JWT"),
        ("a JSON Web Token is a JWT", "a JSON Web Token is a JWT"),
        ("JWTs are not JWT-like, jwt", "JWTs are not JWT (JSON Web Token)-like, jwt"),
        ("An SLO, an slo", "An SLO (service level objective), an slo"),
        ("the C++ ABI", "the C++ (the language) ABI"),
        ("", ""),
    ],
)
def test_terms_are_spelled_out_once(text, expanded):
    terms = Terms({"JWT": "JSON Web Token", "slo": "service level objective", "C++": "the language", "C": "a letter"})
    assert terms.expand(text) == expanded


def test_a_glossary_for_documents_is_part_of_the_space():
    inner = HashEmbedder(64)
    queries = Expanded(inner, Glossary(terms={"JWT": "JSON Web Token"}))
    documents = Expanded(inner, Glossary(terms={"JWT": "JSON Web Token"}, apply_to="document"))
    other = Expanded(inner, Glossary(terms={"JWT": "another meaning"}, apply_to="both"))
    assert queries.space == inner.space
    assert len({inner.space, documents.space, other.space}) == 3
    plain = inner.embed(["JWT"], "query").vectors
    assert (queries.embed(["JWT"], "document").vectors == plain).all()
    assert (queries.embed(["JWT"], "query").vectors == inner.embed(["JWT (JSON Web Token)"], "query").vectors).all()
    assert documents.tokens.count(["JWT"]) > inner.tokens.count(["JWT"])


# -- spend cap ----------------------------------------------------------------------------------------------


def test_spending_stops_before_the_cap_and_goes_on_later(cache):
    texts = [f"a sentence of some words, number {i}" for i in range(1000)]
    made = 0
    for _ in range(20):
        inner = counting(price=100.0)
        budget = Budget(0.5)
        try:
            made = sum(len(b) for b in Cached(Capped(inner, budget), cache).stream(texts, "document"))
        except SpendCapReached as error:
            assert 0.4 < budget.spent <= 0.5
            assert "Raise spend_cap_usd" in str(error)
            continue
        break
    assert made == 1000
    assert cache.stats().entries == 1000


def test_a_cap_needs_a_price():
    unknown = counting()
    unknown._price = None
    with pytest.raises(ConfigError, match="price of hash/64 is not known"):
        Capped(unknown, Budget(1)).embed(["a"], "query")
    assert unknown.texts == []


def test_a_split_text_is_reserved_with_all_its_prompts():
    class Prompted(Counting):
        @property
        def space(self) -> Space:
            return replace(self.inner.space, document_prompt="a prompt of very many words " * 4)

    inner = Prompted(HashEmbedder(64), price=1000.0, limit=40)
    budget = Budget(0.02)
    with pytest.raises(SpendCapReached):
        Capped(inner, budget).embed(["word " * 300], "document", "split")
    assert inner.texts == []


# -- Matryoshka ---------------------------------------------------------------------------------------------


def test_cut_vectors_are_the_renormalised_head(minilm):
    whole = minilm.embed(["rotate the key"], "query").vectors
    made = Cut(minilm, 64).embed(["rotate the key"], "query")
    head = whole[:, :64] / np.linalg.norm(whole[:, :64])
    assert np.allclose(made.vectors, head, atol=1e-6)
    assert made.space.transform == "matryoshka"
    assert made.space.dimensions == 64
    assert Cut(minilm, 384).space == minilm.space
    normed = (whole - whole.mean()) / np.sqrt(whole.var() + 1e-5)
    expected = normed[:, :64] / np.linalg.norm(normed[:, :64])
    assert np.allclose(cut(whole, 64, layer_norm=True), expected, atol=1e-5)


def test_models_that_were_not_trained_for_it_are_refused():
    from embassay.catalog.catalog import shipped

    models = shipped().models
    with pytest.raises(DimensionsRefused, match=r"not trained to be cut \(Matryoshka\). Allowed: 384\."):
        check_dimensions("minilm", 128, models["sentence-transformers/all-MiniLM-L6-v2"])
    with pytest.raises(DimensionsRefused, match=r"Allowed: 64, 128, 256, 512, 768\."):
        check_dimensions("nomic", 100, models["nomic-ai/nomic-embed-text-v1.5"])
    with pytest.raises(DimensionsRefused, match="any from 1 to 1536"):
        check_dimensions("3-small", 3072, models["openai/text-embedding-3-small"])
    with pytest.raises(DimensionsRefused, match="nothing is known"):
        check_dimensions("x", 3, None)
    check_dimensions("3-small", 1, models["openai/text-embedding-3-small"])


# -- chains -------------------------------------------------------------------------------------------------


class Same(Counting):
    """Another provider of the same weights, by another name."""

    @property
    def space(self) -> Space:
        return replace(self.inner.space, weights="elsewhere")


def test_a_chain_moves_on_and_names_who_answered():
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    made = chain.embed(["a"], "query")
    assert (made.model, made.space) == ("first", first.space)
    first.fails = True
    made = chain.embed(["a"], "query")
    assert (made.model, made.space) == ("second", first.space), "proven equal: it stands in"
    calls = first.calls
    chain.embed(["b"], "query")
    assert first.calls == calls, "what failed is not asked again at once"


def test_another_space_needs_permission():
    first, other = counting(64), counting(128)
    chain = Fallback({"first": lambda: first, "other": lambda: other})
    chain.embed(["a"], "query")
    first.fails = True
    with pytest.raises(AllFailed, match=r"first: it is down; other: its space is another one") as caught:
        chain.embed(["a"], "query")
    assert list(caught.value.causes) == ["first", "other"]
    made = chain.embed(["a"], "query", allow_other_space=True)
    assert (made.model, made.space, made.vectors.shape) == ("other", other.space, (1, 128))
    with pytest.raises(AllFailed):
        list(chain.stream(["a"], "document"))


def test_same_dimensions_are_not_the_same_space():
    class Liar(Counting):
        def stream(self, texts, role, on_long="truncate"):
            yield from super().stream([f"{t}!" for t in texts], role, on_long)

    first, liar = counting(), Liar(HashEmbedder(64))
    liar_space = replace(liar.inner.space, weights="other")
    type(liar).space = property(lambda self: liar_space)
    chain = Fallback({"first": lambda: first, "liar": lambda: liar})
    chain.embed(["a"], "query")
    first.fails = True
    with pytest.raises(AllFailed):
        chain.embed(["a"], "query")


def test_unproven_is_unequal_until_the_first_has_answered():
    first, second = counting(), Same(HashEmbedder(64))
    first.fails = True
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    with pytest.raises(AllFailed, match="cannot be told"):
        chain.embed(["a"], "query")


def test_the_cache_proves_equality_across_processes(cache):
    first = counting()
    Fallback({"first": lambda: Cached(first, cache), "second": lambda: Same(HashEmbedder(64))}).embed(["a"], "query")
    first.fails = True
    again = Fallback({"first": lambda: Cached(first, cache), "second": lambda: Same(HashEmbedder(64))})
    assert again.embed(["never seen"], "query").model == "second"


def test_a_chain_comes_back_by_itself(monkeypatch):
    monkeypatch.setattr("embassay.embedders.wrap.chain.COOL_DOWN", 0.2)
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.embed(["a"], "query")
    first.fails = True
    assert chain.embed(["a"], "query").model == "second"
    first.fails = False
    assert chain.embed(["a"], "query").model == "second"
    time.sleep(0.25)
    assert chain.embed(["a"], "query").model == "first"


def test_a_stream_survives_a_failure_half_way():
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.embed(["a"], "query")
    texts = [f"text {i}" for i in range(2000)]
    vectors, models = [], set()
    for block in chain.stream(iter(texts), "document"):
        vectors.append(block.vectors)
        models.add(block.model)
        first.fails = True
    assert (np.concatenate(vectors) == hashed(texts, 64)).all()
    assert models == {"first", "second"}


def test_a_member_of_the_same_directions_but_other_lengths_is_normalised():
    class Long(Counting):
        @property
        def space(self) -> Space:
            return replace(self.inner.space, weights="elsewhere", normalised=False)

        def stream(self, texts, role, on_long="truncate"):
            for block in super().stream(texts, role, on_long):
                yield replace(block, vectors=block.vectors * 7, space=self.space)

    first, second = counting(), Long(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.embed(["a"], "query")
    first.fails = True
    made = chain.embed(["a"], "query")
    assert made.model == "second"
    assert np.allclose(made.vectors, hashed(["a"], 64), atol=1e-6)


def test_a_set_up_that_is_wrong_for_one_member_does_not_end_the_chain():
    first, second = counting(), counting(128)

    def broken():
        raise ConfigError("a key refers to ${UNSET}, which is not set.")

    for opener in (broken, lambda: refusing(first)):
        chain = Fallback({"first": opener, "second": lambda: second})
        assert chain.embed(["a"], "query", allow_other_space=True).model == "second"


def refusing(inner: Counting) -> Counting:
    def stream(texts, role, on_long="truncate"):
        raise RequestRefused("the model does not exist.")
        yield

    inner.stream = stream
    return inner


def test_a_chain_knows_its_space_while_the_first_is_down(cache):
    """In a new process: the set's space and the cached canaries prove what cannot be asked."""
    first = counting()
    Fallback({"first": lambda: Cached(first, cache), "second": lambda: Same(HashEmbedder(64))}).embed(["a"], "query")

    class Unreachable(Counting):
        @property
        def space(self) -> Space:
            self.calls += 1
            raise ProviderDown("its space is not known, it is down.")

    down = Unreachable(HashEmbedder(64))
    down.fails = True
    again = Fallback({"first": lambda: Cached(down, cache), "second": lambda: Same(HashEmbedder(64))})
    again.assume(first.space)
    made = again.embed(["never seen"], "query")
    assert (made.model, made.space) == ("second", first.space)
    calls = down.calls
    again.embed(["nor this"], "query")
    assert down.calls == calls, "what is down is left alone"


def test_the_truth_wins_over_what_was_assumed():
    """A set of other weights must not take this model's vectors for its own."""
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.assume(replace(first.space, weights="what it was last year"))
    assert chain.space == first.space
    assert chain.embed(["a"], "query").space == first.space
    first.fails = True
    assert chain.embed(["b"], "query").space == first.space


def test_every_member_down_lists_each_cause():
    members = {name: counting() for name in ("a", "b", "c")}
    for member in members.values():
        member.fails = True
    chain = Fallback({name: (lambda m=m: m) for name, m in members.items()})
    with pytest.raises(AllFailed, match="a: it is down; b: it is down; c: it is down") as caught:
        chain.embed(["x"], "query", allow_other_space=True)
    assert {name: type(e) for name, e in caught.value.causes.items()} == dict.fromkeys("abc", ProviderDown)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small disk of its own, which only root can mount")
def test_a_full_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", place], check=False, capture_output=True
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        cached = Cached(counting(384), VectorCache(place / "cache.db"))
        with pytest.raises(CacheError, match=r"full.*Free space"):
            for i in range(100):
                cached.embed([f"{i} {j}" for j in range(100)], "document")
    finally:
        cached._cache.close()
        subprocess.run(["umount", place], check=False)
