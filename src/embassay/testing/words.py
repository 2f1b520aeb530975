"""What every store has to find by words: forms of a word, every script, and words of titles that are weighed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import StoreError
from embassay.stores.filters.parser import parse
from embassay.stores.opening import EXACT, open_collection
from embassay.stores.values import VECTOR, Collection, WeightedTexts
from embassay.testing.samples import INFLECTED, WRITTEN, sample_chunks

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot, Store
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk

TITLES = ("Rotate a key", "Vector search", "", "Cache and rotate\nthe vector rotate", "日本 key")
"""Of the rows in turn; some are of two lines, some rows have none."""
IN_TITLES = ("rotate key", "vector unique3 日本", "cache")
WEIGHTS = (0.0, 0.5, 2.0, 3.25)


def same_scores(ours: Snapshot, exact: Snapshot, query: str | WeightedTexts, where: Filter | None = None) -> None:
    """Both find the same rows by the words of `query`, with scores that differ by rounding."""
    left, right = found_by_words(ours, query, where), found_by_words(exact, query, where)
    assert left.keys() == right.keys(), f"lexical {query!r} under {where}"
    for key, score in left.items():
        assert abs(score - right[key]) <= 1e-3 * right[key], f"lexical {query!r} under {where}: {score}, {right[key]}"


def found_by_words(version: Snapshot, query: str | WeightedTexts, where: Filter | None = None) -> dict[str, float]:
    """The lexical score of every row that has one, by key, best first."""
    found = version.lexical(query, 10_000, where)
    chunks = version.fetch([scored.ref for scored in found])
    return {chunk.key: scored.score for chunk, scored in zip(chunks, found, strict=True)}


def check_language(make: Callable[[Collection], Store], language: str) -> None:
    """A word is found by another form of it, and by a stop word only where that is all that is asked for."""
    text, other, stop_word = INFLECTED[language]
    store = make(Collection.single(f"words_{language}", 1, language))
    (chunk,), vectors = sample_chunks(1, 1)
    store.upsert([replace(chunk, indexed=text, body_at=0)], {VECTOR: vectors})
    store.optimise(thorough=True)
    with store.snapshot() as version:
        assert len(version.lexical(other, 5)) == 1, f"{other!r} is a form of a word of {text!r} ({language})"
        assert version.lexical(f"{stop_word} xylograph", 5) == [], f"{stop_word!r} is a stop word ({language})"
        assert len(version.lexical(stop_word, 5)) == 1, f"{stop_word!r} is all that was asked for ({language})"
    store.drop()
    store.close()


def check_scripts(make: Callable[[Collection], Store], language: str) -> None:
    """A text is found, before all others, by words of it in whatever script and form, and as the exact store says."""
    collection = Collection.single(f"scripts_{language}", 1, language)
    store, oracle = make(collection), open_collection(EXACT, Path(), collection, create=True)
    chunks, vectors = sample_chunks(len(WRITTEN), 1)
    rows = [replace(chunk, indexed=text, body_at=0) for chunk, (text, _) in zip(chunks, WRITTEN, strict=True)]
    for target in (store, oracle):
        target.upsert(rows, {VECTOR: vectors})
        target.optimise(thorough=True)
    with store.snapshot() as ours, oracle.snapshot() as exact:
        for row, (text, queries) in zip(rows, WRITTEN, strict=True):
            for query in queries:
                assert next(iter(found_by_words(ours, query)), None) == row.key, (
                    f"{query!r} is in {text!r} ({language})"
                )
                same_scores(ours, exact, query)
    store.drop()
    store.close()


def check_titles(make: Callable[[Collection], Store]) -> None:
    """Words of titles count as often as is asked, as in the exact store, and as where titles are written so often; or
    the store says that it cannot weigh them."""
    collection = Collection.single("titles", 1)
    store, oracle, twice = make(collection), *(open_collection(EXACT, Path(), collection, create=True) for _ in "12")
    chunks, vectors = sample_chunks(60, 1)
    rows = [titled(chunk, TITLES[at % len(TITLES)], 1) for at, chunk in enumerate(chunks)]
    for target in (store, oracle):
        target.upsert(rows, {VECTOR: vectors})
        target.optimise(thorough=True)
    twice.upsert([titled(chunk, TITLES[at % len(TITLES)], 2) for at, chunk in enumerate(chunks)], {VECTOR: vectors})
    try:
        _same_titles(store, oracle, twice)
        for target in (store, oracle):  # rows that no index covers yet, and rows that are gone
            target.delete([chunk.key for chunk in chunks[:7]])
            moved = [titled(chunk, "A rotate of its own", 1) for chunk in chunks[7:12]]
            target.upsert(moved, {VECTOR: vectors[7:12]})
        _same_titles(store, oracle)
    finally:
        store.drop()
        store.close()


def titled(chunk: Chunk, title: str, times: int) -> Chunk:
    """The same body below this title, which stands there so many times."""
    above = f"{title}\n" * times if title else ""
    return replace(chunk, section=title, indexed=above + chunk.text, body_at=len(above))


def _same_titles(store: Store, oracle: Store, twice: Store | None = None) -> None:
    with store.snapshot() as ours, oracle.snapshot() as exact:
        for text in IN_TITLES:
            for weight in WEIGHTS:
                query = WeightedTexts({text: 1.0, "search": 0.5}, title=weight)
                try:
                    ours.lexical(query, 3)
                except StoreError as error:
                    assert error.remedy, "who is refused is told what to do instead"
                    return
                for where in (None, parse("year >= 2019")):
                    same_scores(ours, exact, query, where)
                found = ours.lexical(query, 1000)
                scores = ours.lexical_scores(query, [one.ref for one in found][::-1])
                assert all(abs(a - b.score) <= 1e-5 for a, b in zip(scores, found[::-1], strict=True))
            plain = found_by_words(ours, text)
            same = found_by_words(ours, WeightedTexts({text: 1.0}, title=1.0))
            assert plain.keys() == same.keys() and all(abs(plain[key] - same[key]) <= 1e-5 for key in plain)
            if twice is not None:
                with twice.snapshot() as repeated:
                    doubled = found_by_words(ours, WeightedTexts({text: 1.0}, title=2.0))
                    expected = found_by_words(repeated, text)
                assert doubled.keys() == expected.keys(), "titles that are weighed are titles written so often"
                assert all(abs(doubled[key] - expected[key]) <= 1e-3 for key in doubled)
