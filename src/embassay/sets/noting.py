"""What a call that writes a set tells its history: what it changed, also where it ended before its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, HomeError

if TYPE_CHECKING:
    from embassay.sets.build.report import IndexReport
    from embassay.sets.build.writer import Writer
    from embassay.sets.state import Generation, State


@contextmanager
def noted_if_cut_short(state: State, generation: Generation, what: str, writer: Writer) -> Iterator[None]:
    """Have the history say what a call had changed where the block raises, and with which error it ended."""
    try:
        yield
    except EmbassayError as error:
        if writer.altered:
            with suppress(HomeError):  # it must not hide why the call failed
                figures = {"documents": len(writer.touched), "ended": error.code}
                state.history.note(generation.set_name, what, generation.id, figures)
        raise


def note_run(state: State, generation: Generation, writer: Writer, report: IndexReport) -> None:
    """Have the history say what an index run changed; nothing where it changed nothing. Raises HomeError."""
    if writer.altered or report.embedded:
        names = ("files", "removed", "embedded", "cached", "chunks", "usd")
        figures = {name: getattr(report, name) for name in names} | {"seconds": round(report.seconds, 3)}
        state.history.note(generation.set_name, "indexed", generation.id, figures)


def note_deleted(state: State, generation: Generation, documents: int, chunks: int) -> None:
    """Have the history say how much was deleted from a set. Raises HomeError."""
    if documents:
        figures = {"documents": documents, "chunks": chunks}
        state.history.join(generation.set_name, "deleted", generation.id, figures)
