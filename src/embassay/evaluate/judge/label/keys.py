"""What the keys mean, on the terminal and on the page alike: at most one key a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it does."""

    name: str
    """As programs press it."""
    others: str
    """Further characters that do the same."""
    label: str
    """On a button."""
    short: str
    """In a row of keys."""
    grade: int | None = None
    """What the result that is shown is judged to be."""


IRRELEVANT = Key("0", "n", "Not relevant", "no", 0)
RELEVANT = Key("1", "y", "Relevant", "relevant", 1)
ANSWER = Key("2", "!", "Answers it fully", "full", 2)
REST = Key("x", "", "Neither this nor the rest is relevant", "rest: no")
SKIP = Key("s", "", "Skip this question", "skip")
UNDO = Key("u", "", "Undo", "undo")
QUIT = Key("q", "", "Stop for now", "stop")
KEYS = (IRRELEVANT, RELEVANT, ANSWER, REST, SKIP, UNDO, QUIT)


def key_of(character: str) -> Key | None:
    """The key of a character, whatever its case; None where it means nothing."""
    wanted = character.lower()
    return next((key for key in KEYS if wanted and wanted in (key.name, *key.others)), None)
