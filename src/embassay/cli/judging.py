"""Judging by hand on a terminal, or by keys from a pipe: one result after the other, a key for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from embassay.cli import words
from embassay.cli.tables import line
from embassay.errors import UsageError
from embassay.evaluate.judge.label.keys import KEYS, QUIT, key_of

if TYPE_CHECKING:
    from rich.console import Console

    from embassay.cli.keyboard import Keyboard
    from embassay.evaluate.judge.label.labelling import Labelling, LabelStanding, Shown
    from embassay.types import Document

MORE = "m"
"""Shows the whole passage; the others are in `KEYS`."""
LINES = 5
"""Of the terminal, for the telling part of a passage."""
LEAST = 280
"""Characters of the telling part, however narrow the terminal is."""


class Sitting:
    """One sitting at a keyboard."""

    def __init__(self, judging: Labelling, keyboard: Keyboard, out: Console) -> None:
        self._judging, self._keyboard, self._out = judging, keyboard, out
        self._announced = ""

    def run(self, typed: Callable[[str], None] | None = None) -> None:
        """Until nothing is left, or somebody stops. `typed` takes in questions that are typed, until an empty one.

        Raises HomeNotWritable where a key cannot be kept, and KeyboardInterrupt.
        """
        while True:
            shown = self._judging.current
            if shown is None and (typed is None or not self._asked(typed)):
                return
            if shown is not None and not self._judged(shown):
                return

    def _asked(self, typed: Callable[[str], None]) -> bool:
        """Whether somebody typed another question."""
        self._out.print(Text("Question (an empty line ends): ", style="bold"), end="")
        question = self._keyboard.line()
        if not self._keyboard.is_terminal:
            self._out.print(question)
        if question:
            typed(question)
        return bool(question)

    def _judged(self, shown: Shown) -> bool:
        """Show a result until a key says what it is; whether to go on."""
        self._announce(shown)
        self._show(shown, width=max(LEAST, LINES * (self._out.width - 4)))
        while True:
            key = self._keyboard.key()
            if not key or key_of(key) is QUIT:
                return False
            if key.lower() == MORE:
                self._show(shown, width=0)
                continue
            try:
                said = self._judging.press(key)
            except UsageError as error:
                self._out.print(line((f"  {error.message}", "yellow")))
                continue
            self._out.print(line((f"  {said}", "green")))
            self._tell(shown)
            return True

    def _announce(self, shown: Shown) -> None:
        """A question, once: why it is asked now, and the titles of its results, which are read at a glance."""
        if self._announced == shown.pool.id:
            return
        self._announced = shown.pool.id
        self._out.print()
        self._out.print(line((shown.question, "bold"), (f"  ({shown.why})", "dim")))
        for document in (shown.document, *shown.coming):
            self._out.print(line(("  " + heading(document), "dim")), no_wrap=True, overflow="ellipsis")

    def _show(self, shown: Shown, width: int) -> None:
        where = f"Question {shown.number} of {shown.questions}, result {shown.result} of {shown.results}"
        self._out.print()
        self._out.print(line((f"{where}: ", "dim"), (shown.question, "bold")))
        title = f"  {shown.document.title}" if shown.document.title else ""
        self._out.print(line((shown.document.id, "cyan"), title))
        passage = Text(no_wrap=False)
        for piece, is_asked in self._judging.telling(shown, width):
            passage.append(piece, "bold" if is_asked else "")
        self._out.print(passage)
        self._out.print(line((" · ".join(_row()), "dim")))

    def _tell(self, shown: Shown) -> None:
        """After the last key of a question, how far it is."""
        now = self._judging.current
        if now is None or now.pool.id != shown.pool.id:
            self._out.print(line((f"  {self._judging.standing.power.sentence}", "dim")))


def heading(document: Document) -> str:
    """Where a passage stands, and what it is called."""
    return f"{document.id}  {document.title}".rstrip()


def report(standing: LabelStanding, folder: str, compare: str) -> Iterator[str]:
    """What is to be said at the end, one sentence after the other."""
    done = f"{words.count(standing.done, 'question')} done, {standing.skipped:,} skipped, {standing.left:,} left"
    yield f"{folder}: {done}; {words.count(standing.judgments, 'judgment')}, {standing.relevant:,} of them relevant."
    for name, error in standing.failed.items():
        yield f"{name} failed, and its results are not among those judged: {error}"
    if standing.left_out:
        yield f"{words.count(standing.left_out, 'result')} did not fit the pools and count as irrelevant."
    if standing.unanswered:
        yield f"{words.count(standing.unanswered, 'question')} without a relevant result: no comparison can use them."
    if standing.changed:
        yield f"{words.count(standing.changed, 'judgment')} of passages that have changed or gone do not count."
    yield standing.power.sentence
    if standing.left and standing.done:
        yield (
            "The questions that are left are those on which the candidates differ least: as long as they are not "
            "judged, a difference looks larger than it is."
        )
    yield f"Next: {compare}"


def _row() -> Iterator[str]:
    for key in KEYS:
        if key is QUIT:
            yield f"{MORE} more"
        yield f"{key.name} {key.short}"
