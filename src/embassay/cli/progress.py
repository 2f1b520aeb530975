"""One way to show on stderr that something goes on: a bar where it is known how much there is to do, else a spinner.

Where stderr is no terminal, nothing is shown. Where it is narrow, the bar gives way first and then the words: numbers
stand whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import text
from embassay.events import Noted, WorkAdvanced, WorkStarted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from embassay.events import Events


class Bar:
    """How far a piece of work is: its share, what was done, how fast, and the time that is left.

    It appears with the first `start`, and goes when its `with` block ends. Call it with a number of texts as they are
    done, or have it `follow` events.
    """

    def __init__(self, unit: str = "text") -> None:
        self._unit = unit
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._begun = False
        self._began = 0.0
        self._done = 0

    def start(self, what: str, total: int | None) -> None:
        """A piece of work begins: `total` of it, or nobody knows how much. Where nobody watches, nothing is drawn."""
        self._begun = True
        if not common.messages().is_interactive:
            return
        if self._progress is None:
            self._progress = _progress()
            self._progress.start()
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._began, self._done = time.monotonic(), 0
        self._task = self._progress.add_task(what, total=total, said="", share="")

    def expect(self, total: int) -> None:
        """How much there is to do, where nobody knew when it began."""
        if self._progress and self._task is not None:
            self._progress.update(self._task, total=total)

    def __call__(self, texts: int) -> None:
        """So many more are done."""
        self._done += texts
        self.reach(self._done, self._done)

    def reach(self, done: int, texts: int) -> None:
        """So much is done since the start, in whatever the total counts; so many texts were embedded for it."""
        if self._progress and self._task is not None:
            rate = texts / max(time.monotonic() - self._began, 1e-3)
            said = f"{words.count(texts, self._unit)}, {rate:,.0f}/s"
            total = self._progress.tasks[0].total
            share = f"{min(100, int(100 * done / total))}%" if total else ""  # 100 % is all of it
            self._progress.update(self._task, completed=done, said=said, share=share)

    def note(self, remark: str) -> None:
        """Stands before the bar, or on a line of its own where there is none yet."""
        remark = f"{remark[:1].upper()}{remark[1:]}"
        if self._progress and self._task is not None:
            self._progress.update(self._task, description=remark)
        elif not self._begun:
            common.messages().print(f"{remark} …")

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._progress:
            self._progress.stop()
            self._progress = self._task = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def follow(self, events: Events) -> Iterator[Bar]:
        """Show the work that `events` tell of, until the block ends."""
        ends = (
            events.subscribe(WorkStarted, lambda event: self.start(event.what, event.total)),
            events.subscribe(WorkAdvanced, lambda event: self.reach(event.done, event.texts)),
            events.subscribe(Noted, lambda event: self.note(event.text)),
        )
        try:
            yield self
        finally:
            for end in ends:
                end()


@contextmanager
def bar(total: int | None, what: str = "Embedding", unit: str = "text") -> Iterator[Bar]:
    """A bar for the time of a block; what it yields is to be called with the number of texts as they are done."""
    with Bar(unit) as made:
        made.start(what, total)
        yield made


@contextmanager
def working(what: str) -> Iterator[None]:
    """Something moves while nobody knows how long it takes."""
    console = common.messages()
    with console.status(text(f"{what} ...")) if console.is_interactive else nullcontext():
        yield


NUMBERS = 38
"""Columns that the numbers take where they are large: ``100% 123,456 chunks, 1,234/s 12:34``."""


def _progress() -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    console = common.messages()
    words = Column(no_wrap=True, overflow="ellipsis", max_width=max(8, console.width - NUMBERS))
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=words),
        BarColumn(bar_width=None, table_column=Column(ratio=1, max_width=24)),
        TextColumn("{task.fields[share]:>4}", table_column=Column(no_wrap=True, min_width=4)),
        TextColumn("{task.fields[said]}", markup=False, table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True, min_width=5)),
        console=console,
        transient=True,
        expand=True,
    )
