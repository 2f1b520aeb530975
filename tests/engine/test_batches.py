"""Batches cover every text once, within their budget, and the oldest text is never kept waiting."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.engine.batches import TOKEN_BUDGET, Batches, even_budget


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


@pytest.mark.parametrize(
    ("count", "length", "cores"), [(50, 138, 2), (8, 138, 2), (9, 300, 4), (100, 20, 2), (64, 16, 4)]
)
def test_an_even_budget_lets_no_core_compute_more_than_before(count, length, cores):
    def busiest(budget):
        batches = Batches(budget)
        for number in range(count):
            batches.add(number, length)
        work = [0] * cores
        while batches:
            work[work.index(min(work))] += len(batches.take()[1])
        return max(work)

    budget = even_budget([length] * count, cores)
    assert budget <= TOKEN_BUDGET
    assert math.ceil(count / cores) <= busiest(budget) <= busiest(TOKEN_BUDGET)


def test_fifty_passages_are_done_by_two_cores_at_once():
    assert even_budget([138] * 50, 2) == 5 * 138


def test_an_even_budget_of_odd_lengths_takes_the_longest_text():
    assert even_budget([], 2) == TOKEN_BUDGET
    assert even_budget([5000, 10, 10], 2) == TOKEN_BUDGET
    assert even_budget([*[10] * 40, 700, *[200] * 9], 2) >= 700
    assert even_budget([100] * 10_000, 2) == TOKEN_BUDGET
