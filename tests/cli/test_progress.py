"""The bar that shows how far a piece of work is."""

import io
import re

import pytest
from rich.console import Console

from embassay.cli import common, progress
from embassay.events import Events, Noted, WorkAdvanced, WorkStarted


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal of 80 columns was sent."""
    sent = io.StringIO()
    console = Console(file=sent, width=80, force_terminal=True, highlight=False, legacy_windows=False)
    monkeypatch.setattr(common, "messages", lambda: console)
    return sent


def lines(sent):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent.getvalue())


def test_called_with_what_is_done(terminal):
    with progress.bar(4, "Measuring", "run") as bar:
        bar(1)
        bar(3)
    assert "Measuring" in lines(terminal) and "100%" in lines(terminal) and "4 runs, " in lines(terminal)


def test_the_total_may_come_later(terminal):
    with progress.bar(None) as bar:
        bar.expect(10)
        bar(10)
    assert "100%" in lines(terminal) and "10 texts, " in lines(terminal)


def test_fed_by_events(terminal):
    events = Events()
    with progress.Bar("chunk") as bar:
        with bar.follow(events):
            events.tell(Noted("loading the model"))
            events.tell(WorkStarted("Indexing [red]3[/red] files", total=2000))
            events.tell(WorkAdvanced(done=1000, texts=1))
            events.tell(Noted("asking again in 2 s"))
            events.tell(WorkAdvanced(done=2000, texts=7))
        assert not events.wants(WorkStarted) and not events.wants(WorkAdvanced) and not events.wants(Noted)
    shown = lines(terminal)
    assert "Loading the model …" in shown and "Indexing [red]3[/red] files" in shown
    assert "Asking again in 2 s" in shown and "7 chunks, " in shown and "100%" in shown


def test_without_a_start_nothing_is_shown(terminal):
    with progress.Bar() as bar:
        bar(3)
        bar.expect(4)
    assert not terminal.getvalue()


def test_a_second_piece_of_work_begins_anew(terminal):
    with progress.Bar() as bar:
        bar.start("One", 2)
        bar(2)
        terminal.truncate(0)
        bar.start("Two", 2)
        bar(1)
    assert "One" not in lines(terminal) and "50%" in lines(terminal) and "1 text, " in lines(terminal)


def test_it_goes_when_the_work_fails(terminal):
    with pytest.raises(ValueError, match="x"), progress.bar(3):
        raise ValueError("x")
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1, "the cursor is back"


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    "what", ["Indexing 12,345 files", "Asking again in 20 s: openai/text-embedding-3-small is too busy"]
)
def test_numbers_are_whole_where_the_terminal_is_narrow(monkeypatch, width, what):
    sent = io.StringIO()
    console = Console(file=sent, width=width, force_terminal=True, highlight=False, legacy_windows=False)
    monkeypatch.setattr(common, "messages", lambda: console)
    with progress.Bar("chunk") as bar:
        bar.start(what, 2**40)
        bar._began -= 100
        bar.reach(2**39 + 2**38, 123_456)
        sent.seek(0), sent.truncate()
        bar._progress.refresh()
        frame = lines(sent).strip("\r\n")
    assert re.search(r" 75% 123,456 chunks, 1,23\d/s [-\d:]+\s*$", frame), frame
    assert len(frame) <= width and frame[:16] == what[:16]


def test_a_hundred_per_cent_is_all_of_it(terminal):
    with progress.bar(1000) as bar:
        bar(999)
        bar._progress.refresh()
    assert "99%" in lines(terminal) and "100%" not in lines(terminal)


def test_without_a_total_there_is_no_share(terminal):
    with progress.bar(None) as bar:
        bar(999)
        bar._progress.refresh()
    assert "999 texts, " in lines(terminal) and "%" not in lines(terminal)


def test_nothing_is_shown_where_nobody_sees_it(monkeypatch):
    sent = io.StringIO()
    monkeypatch.setattr(common, "messages", lambda: Console(file=sent, width=80))
    with progress.bar(1000) as bar:
        bar(999)
    assert sent.getvalue() == ""


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_nothing_is_drawn_where_nobody_watches(environment, monkeypatch):
    """Some systems that build and test have colours forced into their records; a bar would be a stray line there."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sent = io.StringIO()
    monkeypatch.setattr("sys.stderr", sent)
    with progress.bar(10, "Indexing 3 files") as bar, progress.working("Reading"):
        bar(10)
        bar.note("asking again in 2 s")
    assert sent.getvalue() == ""
    with progress.Bar() as bar:
        bar.note("waiting for another process")
    assert "Waiting for another process" in sent.getvalue()
