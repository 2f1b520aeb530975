"""Sentence pairs with the scores that people gave them, as benchmarks of semantic textual similarity have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embassay.errors import JudgedSetError
from embassay.evaluate.data.lines import malformed
from embassay.evaluate.data.table import read_table

EXPECTED = "two sentences and a score, between tabs or commas"


@dataclass(frozen=True, slots=True)
class SentencePairs:
    """Pairs of sentences, each with a score that says how alike people found them."""

    name: str
    first: Sequence[str]
    second: Sequence[str]
    scores: Sequence[float]


def read_pairs(file: Path) -> SentencePairs:
    """Read CSV, TSV or JSON lines of sentence1, sentence2 and score; the header is optional. Raises JudgedSetError."""
    first: list[str] = []
    second: list[str] = []
    scores: list[float] = []
    for number, row in read_table(file, ("sentence1", "sentence2", "score"), EXPECTED):
        try:
            score = float(row[2])
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            raise malformed(file, number, "a number as the score", row[2])
        first.append(row[0])
        second.append(row[1])
        scores.append(score)
    if len(scores) < 3 or len(set(scores)) < 2:
        raise JudgedSetError(f"{file} has {len(scores)} pairs; a correlation needs three, with different scores.")
    return SentencePairs(file.stem, first, second, scores)
