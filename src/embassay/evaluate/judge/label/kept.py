"""What somebody has judged in a folder, key by key, in the order of the keys: ``labelling.jsonl``.

    {"question": ID, "text": "...", "before": {PASSAGE: GRADE}}          when it is first judged
    {"question": ID, "grades": {PASSAGE: GRADE}, "of": {PASSAGE: DIGEST}}    a key
    {"question": ID, "skipped": true}
    {"undone": true}                                                     the last key that was not undone before

Judgments go from here into the judged set once their question is done, so that no comparison sees half of them. A
judgment holds for the passage as it was: the digest says whether the passage still reads so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embassay.evaluate.judge.journal import GrowingFile

FILE = "labelling.jsonl"


@dataclass(frozen=True, slots=True)
class Action:
    """One key that was pressed for a question."""

    question: str
    grades: Mapping[str, int] = field(default_factory=dict)
    """Passage id to grade."""
    of: Mapping[str, str] = field(default_factory=dict)
    """Passage id to the digest of what was judged."""
    skipped: bool = False


@dataclass(slots=True)
class Labelled:
    """All that was said of one question."""

    text: str = ""
    before: Mapping[str, int] = field(default_factory=dict)
    """What was judged of it, by whatever means, before its first key."""
    grades: dict[str, int] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    skipped: bool = False


class KeptLabels:
    """The keys of one folder, read once and then written as they come. Whoever has it holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        """Raises HomeNotWritable."""
        self._file = GrowingFile(folder / FILE)
        self._actions: list[Action] = []
        self._by_question: dict[str, list[Action]] = {}
        self._opened: dict[str, Labelled] = {}
        for row in self._file.rows():
            self._read(row)
        self._file.prepare()

    @property
    def last(self) -> Action | None:
        """The last key that was not undone."""
        return self._actions[-1] if self._actions else None

    def of(self, question: str) -> Labelled:
        """What was said of a question; nothing of one that was never shown."""
        opened = self._opened.get(question, Labelled())
        found = Labelled(opened.text, opened.before)
        for action in self._by_question.get(question, ()):
            found.grades.update(action.grades)
            found.of.update(action.of)
            found.skipped = action.skipped
        return found

    def open(self, question: str, text: str, before: Mapping[str, int]) -> None:
        """Note what is judged of a question before its first key; once. Raises HomeNotWritable."""
        if question not in self._opened:
            self._file.append({"question": question, "text": text, "before": dict(before)})
            self._opened[question] = Labelled(text, dict(before))

    def add(self, action: Action) -> None:
        """Keep a key. Raises HomeNotWritable."""
        row: dict[str, object] = {"question": action.question}
        row |= {"skipped": True} if action.skipped else {"grades": dict(action.grades), "of": dict(action.of)}
        self._file.append(row)
        self._take(action)

    def undo(self) -> Action:
        """Take the last key back. Raises HomeNotWritable, and IndexError where there is none."""
        self._file.append({"undone": True})
        return self._drop()

    def _take(self, action: Action) -> None:
        self._actions.append(action)
        self._by_question.setdefault(action.question, []).append(action)

    def _drop(self) -> Action:
        last = self._actions.pop()
        self._by_question[last.question].pop()
        return last

    def _read(self, row: Mapping[str, object]) -> None:
        if row.get("undone") is True:
            if self._actions:
                self._drop()
            return
        question, text = row.get("question"), row.get("text")
        if not isinstance(question, str):
            return
        if isinstance(text, str):
            self._opened.setdefault(question, Labelled(text, _grades(row.get("before"))))
        elif row.get("skipped") is True:
            self._take(Action(question, skipped=True))
        elif grades := _grades(row.get("grades")):
            of = row.get("of")
            digests = {str(name): str(digest) for name, digest in of.items()} if isinstance(of, dict) else {}
            self._take(Action(question, grades, digests))


def _grades(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {str(name): grade for name, grade in value.items() if type(grade) is int}
