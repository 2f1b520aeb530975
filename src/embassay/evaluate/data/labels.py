"""Texts that each have one label, as benchmarks of classification and clustering have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embassay.errors import JudgedSetError
from embassay.evaluate.data.table import read_table

EXPECTED = "a text and its label, between tabs or commas"


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts and, in the same order, the label of each."""

    name: str
    texts: Sequence[str]
    labels: Sequence[str]


def read_labelled(file: Path) -> LabelledTexts:
    """Read CSV, TSV or JSON lines of text and label (or category); the header is optional. Raises JudgedSetError."""
    rows = [row for _, row in read_table(file, ("text", "label"), EXPECTED)]
    if len({label for _, label in rows}) < 2:
        raise JudgedSetError(f"{file} has fewer than two labels.", remedy=f"Expected {EXPECTED}.")
    return LabelledTexts(file.stem, [text for text, _ in rows], [label for _, label in rows])
