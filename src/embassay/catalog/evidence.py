"""How well a model retrieves, as published scores have it. Nothing here knows what a user needs."""

from __future__ import annotations

from functools import lru_cache

from embassay.catalog.card import ModelCard

REFERENCE = "BAAI/bge-base-en-v1.5"
"""A model with results on all of BEIR's tasks, from which models with a few results are placed."""
FEWEST_TASKS = 4
"""A model with so many of the listed retrieval tasks is placed by its distance from the reference on them."""
RETRIEVAL_TASKS = ("scifact", "nfcorpus", "fiqa2018", "arguana", "scidocs", "treccovid", "quora")
"""Tasks of BEIR for which providers publish results one by one."""
UNSCORED = 50.0
"""Points of a model without any score: it is only kept if it is made for the asked domain, of which general scores say
little."""


def evidence(card: ModelCard) -> tuple[float, str]:
    """(mean nDCG@10 x 100 over BEIR's 15 tasks, where it comes from); the words are empty where nothing is known.

    A model with some of the tasks stands as far from the reference's mean as it does from the reference on them.
    """
    if card.retrieval is not None:
        return card.retrieval, f"{card.retrieval:.1f} nDCG@10 on BEIR"
    reference = _reference()
    common = [task for task in RETRIEVAL_TASKS if task in card.scores and task in reference.scores]
    if len(common) < FEWEST_TASKS or reference.retrieval is None:
        return UNSCORED, ""
    gap = sum(card.scores[task] - reference.scores[task] for task in common) / len(common)
    return (
        reference.retrieval + gap,
        f"about {reference.retrieval + gap:.1f} nDCG@10 on BEIR, from {len(common)} of its tasks",
    )


def is_scored(card: ModelCard) -> bool:
    """Whether any published score places the model."""
    return bool(evidence(card)[1])


@lru_cache(maxsize=1)
def _reference() -> ModelCard:
    from embassay.catalog.catalog import shipped_for

    return shipped_for(REFERENCE).models[REFERENCE]
