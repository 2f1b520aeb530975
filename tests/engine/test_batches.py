"""Batches cover every text once, within their budget, and the oldest text is never kept waiting."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.engine.batches import TOKEN_BUDGET, Batches


def batches_of(lengths, room, budget=TOKEN_BUDGET):
    """(padded length, numbers) of each batch, chosen among `room` tokens at a time."""
    waiting, made, rest = Batches(budget), [], list(enumerate(lengths))
    while rest or waiting:
        while rest and waiting.tokens < room:
            waiting.add(*rest.pop(0))
        made.append(waiting.take())
    assert waiting.tokens == 0
    return made


@given(st.lists(st.integers(0, 600), max_size=300), st.integers(16, 4096), st.integers(1, 20_000))
def test_every_text_once_within_the_budget(lengths, budget, room):
    made = batches_of(lengths, room, budget)
    assert sorted(number for _, numbers in made for number in numbers) == list(range(len(lengths)))
    left = set(range(len(lengths)))
    for width, numbers in made:
        assert width == max(lengths[number] for number in numbers)
        assert len(numbers) == 1 or width * len(numbers) <= budget
        assert min(left) in numbers, "the oldest one leads"
        left -= set(numbers)


@pytest.mark.parametrize(("mean", "room", "padding"), [(20, 18_000, 0.03), (150, 18_000, 0.03), (150, 4_096, 0.10)])
def test_little_is_padded_and_little_is_ahead_of_the_oldest(mean, room, padding):
    rng = random.Random(0)
    lengths = [min(256, max(3, int(rng.lognormvariate(0, 0.6) * mean))) for _ in range(400_000 // mean)]
    made = batches_of(lengths, room)
    computed = sum(width * len(numbers) for width, numbers in made)
    assert computed / sum(lengths) < 1 + padding
    done, oldest, ahead, most = set(), 0, 0, 0
    for _, numbers in made:
        done.update(numbers)
        ahead += sum(lengths[number] for number in numbers)
        while oldest in done:
            done.remove(oldest)
            ahead -= lengths[oldest]
            oldest += 1
        most = max(most, ahead)
    assert most < 1.6 * room + TOKEN_BUDGET
