"""Published scores of a model: a value of a task, and who published it. None stands without its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from embassay.catalog.tasks import find_task


class Scores(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores that one source published."""

    source: str
    values: str
    """Written ``TASK VALUE, TASK VALUE``, with a language in brackets: ``SciFact 71.27, BelebeleRetrieval[de] 93.1``.
    One text costs a tenth of the time that a table of as many rows takes to read."""
    date: str = ""
    """When the figures were looked up: a day, month or year."""
    note: str = ""
    makers: bool = False
    """Whether the makers of the model published them, and nobody ran the tasks again."""

    def __post_init__(self) -> None:
        """Raises ValueError for scores without a source."""
        if not self.source.strip():
            raise ValueError("scores have no source: say who published them")


@dataclass(frozen=True, slots=True)
class Score:
    """One published figure."""

    task: str
    value: float
    published: Scores

    def to_dict(self) -> dict[str, object]:
        """The score as the JSON output has it, with what its task asks."""
        known = find_task(self.task)
        return {
            "task": self.task,
            "value": self.value,
            "metric": known.metric if known else "",
            "benchmark": known.benchmark if known else "",
            "domains": list(known.domains) if known else [],
            "languages": list(known.languages) if known else [],
            "source": self.published.source,
            "date": self.published.date,
            "makers": self.published.makers,
            "note": self.published.note,
        }


def every_score(scores: Sequence[Scores]) -> Iterator[Score]:
    """All figures, in the order in which they are written, those of one task by several sources too."""
    for published in scores:
        for task, value in parse(published.values).items():
            yield Score(task, value, published)


def score_of(scores: Sequence[Scores], task: str) -> Score | None:
    """The first figure of a task; None where there is none."""
    for published in scores:
        value = parse(published.values).get(task)
        if value is not None:
            return Score(task, value, published)
    return None


@cache
def parse(values: str) -> dict[str, float]:
    """Task to value. Raises ValueError for anything that is not written ``TASK VALUE, TASK VALUE``."""
    found = {}
    for part in values.split(","):
        task, _, value = part.strip().rpartition(" ")
        if not task:
            raise ValueError(f"{part.strip()!r} is no score: write TASK VALUE, TASK VALUE")
        if task in found:
            raise ValueError(f"{task} has two scores of one source")
        found[task] = float(value)
    return found
