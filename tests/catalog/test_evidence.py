"""Published scores, and models that have only some of them."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.evidence import REFERENCE, RETRIEVAL_TASKS, evidence

CARDS = shipped().models


def test_some_tasks_place_a_model_by_its_distance_from_the_reference():
    card, reference = CARDS["voyage/voyage-3.5"], CARDS[REFERENCE]
    tasks = [t for t in RETRIEVAL_TASKS if t in card.scores]
    by_hand = reference.retrieval + sum(card.scores[t] - reference.scores[t] for t in tasks) / len(tasks)
    score, words = evidence(card)
    assert score == pytest.approx(by_hand)
    assert f"from {len(tasks)} of its tasks" in words
    assert evidence(CARDS["BAAI/bge-m3"]) == (48.8, "48.8 nDCG@10 on BEIR")
