"""Items and their vectors stay in step, whatever the stream does."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.embedders.alongside import MOST_WITHOUT, alongside, embed_at, in_step
from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.errors import ModelError, TextRefused, TextTooLong
from tests.embedders.fakes import Counting, counting


def text_of(item: int) -> str | None:
    """Every third item has none."""
    return None if item % 3 == 0 else f"text {item}"


def check_steps(items, steps, text_of=text_of) -> None:
    """All items, in order, each with the vector of its own text."""
    seen = []
    for step in steps:
        assert len(step.items) == len(step.rows) > 0
        assert step.made is not None or set(step.rows) == {None}
        for item, row in zip(step.items, step.rows, strict=True):
            seen.append(item)
            text = text_of(item)
            assert (row is None) == (text is None)
            if text is not None:
                assert (step.made.vectors[row] == hashed([text], 64)[0]).all()
        filled = [row for row in step.rows if row is not None]
        assert filled == list(range(len(step.made or ())))
    assert seen == list(items)


@given(st.lists(st.integers(0, 50), max_size=400))
def test_items_come_back_in_order_with_the_vector_of_their_own_text(items):
    check_steps(items, alongside(iter(items), text_of, counting(), "document"))


@pytest.mark.parametrize("count", [0, 1, MOST_WITHOUT - 1, MOST_WITHOUT, 3 * MOST_WITHOUT + 7])
def test_a_model_is_not_asked_when_no_item_has_a_text(count):
    class Untouchable(HashEmbedder):
        def stream(self, texts, role, on_long="truncate"):
            raise AssertionError("it was asked")

    steps = list(alongside(range(count), lambda item: None, Untouchable(64), "document"))
    check_steps(range(count), steps, lambda item: None)
    assert max((len(step.items) for step in steps), default=0) <= MOST_WITHOUT


def test_many_items_without_a_text_before_the_first_with_one():
    items = range(2 * MOST_WITHOUT + 5)
    only_last = lambda item: f"text {item}" if item == items[-1] else None  # noqa: E731
    check_steps(items, alongside(items, only_last, counting(), "document"), only_last)


def test_an_empty_text_is_a_text():
    (step,) = alongside(["", None], lambda item: item, counting(), "document")
    assert (list(step.rows), len(step.made)) == ([0, None], 1)


def test_items_may_be_read_ahead_in_another_thread():
    class Ahead(Counting):
        """Reads all texts in a thread of its own, while blocks of the first ones are handed out."""

        def stream(self, texts: Iterable[str], role, on_long="truncate") -> Iterator:
            read: Queue = Queue()
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: [read.put(text) for text in texts] and read.put(None))
                batch = []
                while (text := read.get()) is not None:
                    batch.append(text)
                    if len(batch) == 7:
                        yield from super().stream(batch, role, on_long)
                        batch = []
                if batch:
                    yield from super().stream(batch, role, on_long)

    check_steps(range(5000), alongside(range(5000), text_of, Ahead(HashEmbedder(64)), "document"))


def test_closing_closes_the_stream():
    closed = threading.Event()

    class Closing(Counting):
        def stream(self, texts, role, on_long="truncate"):
            try:
                yield from super().stream(texts, role, on_long)
            finally:
                closed.set()

    steps = alongside(range(1000), text_of, Closing(HashEmbedder(64)), "document")
    next(steps)
    assert not closed.is_set()
    steps.close()
    assert closed.is_set()


@pytest.mark.parametrize("at", [1, 2, 149, 151, 998])
def test_a_text_that_is_too_long_is_named_by_its_item(at):
    long = lambda item: "word " * 20 if item == at else text_of(item)  # noqa: E731
    with pytest.raises(TextTooLong) as caught:
        list(alongside(range(1000), long, counting(limit=5), "document", "error"))
    assert caught.value.position == at


def test_refused_texts_are_named_by_their_row():
    inner = counting()
    inner.refuses = "text 5"
    (step,) = alongside(range(6), text_of, inner, "document")
    assert dict(step.made.refused) == {step.rows[5]: "no"}


def test_some_texts_of_a_call():
    inner = counting(limit=5)
    made = embed_at(inner, ["a", "b", "c", "d"], [1, 3], "query")
    assert inner.texts == ["b", "d"]
    assert (made.vectors == hashed(["b", "d"], 64)).all()
    with pytest.raises(TextTooLong) as caught:
        embed_at(inner, ["a", "b", "c", "word " * 20], [1, 3], "query", "error")
    assert caught.value.position == 3
    inner.refuses = "c"
    with pytest.raises(TextRefused) as refused:
        embed_at(inner, ["a", "b", "c", "d"], [0, 2], "query")
    assert refused.value.position == 2


@pytest.mark.parametrize("wrong", [0, 2, 4])
def test_a_stream_of_too_few_or_too_many_vectors_is_an_error(wrong):
    def stream(texts):
        list(texts)
        yield HashEmbedder(64).embed(["x"] * wrong, "document")

    with pytest.raises(ModelError, match="another number of texts"):
        list(in_step(["a", "b", "c"], str, stream))
