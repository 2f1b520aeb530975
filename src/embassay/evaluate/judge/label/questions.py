"""Where questions come from that somebody judges results for: a file, or the query log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from embassay.errors import JudgedSetError
from embassay.evaluate.data.lines import lines_of
from embassay.evaluate.data.saved import saved_queries
from embassay.sets.log.entry import LoggedQuery

MOST = 50
"""Questions taken from a log, at most: about a quarter of an hour of somebody's time."""
LONGEST = 2_000
"""Characters of a question: what is longer is no question but a text that somebody pasted."""


def read_questions(file: Path) -> list[str]:
    """The questions of a file, each once: one a line, or JSON lines of query. Raises JudgedSetError."""
    if file.suffix == ".jsonl":
        asked = (saved.text for saved in saved_queries(file, '{"query": "..."}'))
    else:
        asked = (line for _, line in lines_of(file))
    questions = distinct(asked)
    if not questions:
        raise JudgedSetError(f"{file} holds no questions.", remedy="Write one on each line.")
    return questions


def logged_questions(entries: Iterable[LoggedQuery], most: int = MOST) -> list[str]:
    """Questions that people asked, each once: of `entries`, the newest first, those whose text was kept.

    Those that failed come first, with a thumb down or without a hit; then those of which nothing is known; then those
    of whose hits one was opened or liked. Within each the newest come first.
    """
    failed: dict[str, bool | None] = {}
    for entry in entries:
        if entry.form == "kept":
            for text in distinct([entry.query]):
                known = failed.get(text)
                failed[text] = _failed(entry) if known is None else known
    order = {True: 0, None: 1, False: 2}
    return sorted(failed, key=lambda text: order[failed[text]])[:most]


def distinct(questions: Iterable[str]) -> list[str]:
    """Questions without blanks around them, each once whatever its case, and none that is empty."""
    return list({text.lower(): text for text in _trimmed(questions)}.values())


def _trimmed(questions: Iterable[str]) -> Iterator[str]:
    for question in questions:
        if text := " ".join(question.split())[:LONGEST]:
            yield text


def _failed(entry: LoggedQuery) -> bool | None:
    """Whether a search let somebody down; None where nobody said, and there were hits."""
    if not entry.hits or any(given.kind == "down" for given in entry.feedback):
        return True
    return False if entry.feedback else None
