"""Few wrong rows among many: which of them are looked at, within what may be embedded."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.sets.migration.evidence.predictor import Predictor, hashed_words


def world(rows, seed, *, known=True):
    """Texts, their vectors in two spaces that agree about as far as two models do, and so many rows."""
    random = np.random.default_rng(seed)
    words = np.array([f"w{at}" for at in range(4000)])
    meaning = random.standard_normal((len(words), 48))
    chosen = np.minimum(random.geometric(0.002, (rows, 40)), len(words)) - 1
    inner = meaning[chosen].sum(axis=1)

    def space(dimensions):
        seen = np.tanh(inner @ random.standard_normal((48, dimensions)) / 40)
        seen += 0.5 * seen.std() * random.standard_normal(seen.shape)
        return (seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32)

    old, new = space(64), space(96)
    return [" ".join(row) for row in words[chosen]], old if known else np.zeros_like(old), new


def oddness(texts, old, new):
    predictor = Predictor(old.shape[1], new.shape[1])
    for at in range(0, len(new), 1000):
        block = slice(at, at + 1000)
        predictor.learn(old[block], texts[block], new[block])
    return predictor.oddness(old, texts, new)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("rows", "looked_at"), [(1000, 0.3), (5000, 0.05)])
def test_exchanged_rows_are_among_the_oddest(rows, looked_at, known):
    """Also where the old vectors say nothing, and only the words do."""
    for seed in range(3):
        texts, old, new = world(rows, seed, known=known)
        a, b = np.random.default_rng(seed).choice(rows, 2, replace=False)
        new[[a, b]] = new[[b, a]]
        rank = (-oddness(texts, old, new)).argsort().argsort()
        assert min(rank[a], rank[b]) < looked_at * rows


def test_a_row_is_foretold_without_itself():
    """With as many coefficients as rows, a map that had learnt a wrong row would foretell it."""
    texts, old, new = world(300, 1)
    predictor = Predictor(old.shape[1], new.shape[1])
    predictor.learn(old, texts, new)
    fast = predictor.oddness(old, texts, new)
    for at in (0, 7):
        others = np.arange(len(new)) != at
        without = Predictor(old.shape[1], new.shape[1])
        without.learn(old[others], [texts[i] for i in np.flatnonzero(others)], new[others])
        _, map_, _ = without._solution()
        expected = without._features(old[at : at + 1], texts[at : at + 1]) @ map_ - new.mean(axis=0)
        found = new[at] - new.mean(axis=0)
        slow = 1 - float(expected[0] @ found / np.linalg.norm(expected) / np.linalg.norm(found))
        assert fast[at] == pytest.approx(slow, abs=0.01)


def test_words_of_every_script_are_seen():
    made = hashed_words(["", "rotate a key", "rotate a key", "鍵を回転させる方法について説明します", "鍵を回転"])
    assert not made[0].any() and (made[1] == made[2]).all()
    assert made[3] @ made[4] > 0 and np.linalg.norm(made[3]) == pytest.approx(1)
