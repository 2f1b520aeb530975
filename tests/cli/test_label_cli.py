"""Judging by hand as people and scripts do it: from a pipe, at a terminal, stopped, killed, and in a browser's absence."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from embassay.evaluate.data.judged import read_judged
from tests.cli.test_cli import run

CANDIDATES = ("hash/64", "hash/64@lexical")
LABEL = ("judge", "label", "judged", *CANDIDATES)


@pytest.fixture
def place(tmp_path):
    """A folder with passages and three questions, the third of them hostile."""
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    rows = [
        {
            "_id": f"docs/{at}.md#L1-9",
            "title": "A \x1b[31mtitle",
            "text": f"needle{at % 7} \x1b]0;owned\x07 word{at} " * 40,
        }
        for at in range(40)
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text("")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    (tmp_path / "q.txt").write_text("needle1 word1\nneedle2 word2\n<script>needle3</script> \x1b[2J word3\n")
    return tmp_path


def judged(place):
    return read_judged(place / "judged")


def test_keys_from_a_pipe(place):
    code, out, err = run(*LABEL, "--questions", "q.txt", cwd=place, stdin=b"1z0u2 y\n\n!x" + b"0" * 40)
    assert (code, err) == (0, "") and "\x1b" not in out
    assert "'z' means nothing here" in out and "undone" in out and "6 not relevant" in out
    assert "3 questions done, 0 skipped, 0 left; 30 judgments, 4 of them relevant" in out
    assert "results did not fit the pools" in out and "2 questions without a relevant result" in out
    assert out.endswith(f"Next: embassay compare {' '.join(CANDIDATES)} --judged judged\n")
    assert max(map(len, out.splitlines())) <= 120
    found = judged(place)
    assert sorted(found.qrels[next(iter(found.queries))].values()) == [0] * 6 + [1, 1, 2, 2]
    run("compare", *CANDIDATES, "--judged", "judged", cwd=place, check=0)
    code, out, _ = run(*LABEL, "--questions", "q.txt", cwd=place)
    assert code == 0 and "3 questions done" in out and "0 no ·" not in out, "nothing is asked again"


def test_typed_questions(place):
    code, out, _ = run(*LABEL, "--json", cwd=place, stdin=b"where is needle4\n1x\nwhere is needle5\n0x\n\n")
    found = json.loads(out)
    assert code == 0 and (found["questions"], found["done"], found["relevant"], found["unanswered"]) == (2, 2, 1, 1)
    assert found["power"]["more"] == 19 and found["next"].startswith("embassay compare")
    assert list(judged(place).queries.values()) == ["where is needle4"]


def test_nothing_on_stdin(place):
    code, out, _ = run(*LABEL, "--questions", "q.txt", cwd=place)
    assert code == 0 and "0 questions done, 0 skipped, 3 left" in out
    code, out, _ = run(*LABEL, cwd=place)
    assert code == 0 and "0 questions done" in out


class Terminal:
    """The command at a real terminal of so many columns."""

    def __init__(self, place, *arguments, columns=80):
        self.leader, follower = pty.openpty()
        env = {**os.environ, "COLUMNS": str(columns), "LINES": "24", "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embassay.cli.main", *LABEL, *arguments],
            cwd=place, stdin=follower, stdout=follower, stderr=follower, env=env, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),  # noqa: PLW1509
        )  # fmt: skip
        os.close(follower)
        self.shown = ""

    def until(self, words, seconds=60):
        """What was shown until `words` were, since the last time."""
        end, seen = time.monotonic() + seconds, ""
        while words not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen):
            assert select.select([self.leader], [], [], max(0, end - time.monotonic()))[0], f"no {words!r} in {seen!r}"
            try:
                data = os.read(self.leader, 65536)
            except OSError:  # the command has ended
                data = b""
            assert data, f"it ended without {words!r}: {seen!r}"
            seen += data.decode("utf-8", "replace")
        self.shown += seen
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)

    def press(self, keys):
        os.write(self.leader, keys.encode())

    def ended(self):
        try:
            return self.process.wait(60)
        finally:
            os.close(self.leader)


KEYS = "q stop"


def test_at_a_terminal(place):
    terminal = Terminal(place, "--questions", "q.txt")
    first = terminal.until(KEYS)
    assert "Question 1 of 3, result 1 of 10" in first and "\x07" not in first and "owned" in first
    assert max(map(len, re.split(r"[\r\n]+", first[first.index("Question 1") :]))) <= 80
    terminal.press("1")
    assert "result 2 of 10" in terminal.until(KEYS), "a key counts without Enter"
    terminal.press("\x1b[A")  # an arrow
    terminal.press("m")
    assert terminal.until(KEYS).count("needle") > 20, "the whole passage"
    terminal.press("00")  # typed ahead
    assert "result 4 of 10" in terminal.until("result 4 of 10")
    terminal.press("q")
    terminal.until("Next: embassay compare")
    assert terminal.ended() == 0


def test_a_terminal_that_is_too_small(place):
    terminal = Terminal(place, "--questions", "q.txt", columns=20)
    shown = terminal.until("stop")
    assert "result 1 of" in " ".join(shown.split())
    terminal.press("q")
    assert terminal.ended() == 0


def test_typing_at_a_terminal(place):
    terminal = Terminal(place)
    terminal.until("Question (an empty line ends): ")
    terminal.press("where is needle4\n")
    assert "where is needle4" in terminal.until(KEYS)
    terminal.press("1x")
    terminal.until("Question (an empty line ends): ")
    terminal.press("\n")
    terminal.until("Next:")
    assert terminal.ended() == 0 and len(judged(place).queries) == 1


def test_ctrl_c_says_how_to_go_on(place):
    terminal = Terminal(place, "--questions", "q.txt")
    terminal.until(KEYS)
    terminal.press("1")
    terminal.until(KEYS)
    terminal.press("\x03")
    assert "Every key is kept; the same command goes on from here." in terminal.until("stopped.")
    assert terminal.ended() == 130
    terminal = Terminal(place, "--questions", "q.txt")
    assert "result 2 of 10" in terminal.until(KEYS)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 143


def test_a_kill_loses_nothing(place):
    terminal = Terminal(place, "--questions", "q.txt")
    terminal.until(KEYS)
    for _ in range(4):
        terminal.press("1")
        terminal.until(KEYS)
    terminal.process.kill()
    terminal.ended()
    terminal = Terminal(place, "--questions", "q.txt")
    assert "result 5 of 10" in terminal.until(KEYS)
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("judge", "label", "nowhere", *CANDIDATES), "no corpus.jsonl"),
        (("judge", "label", "judged", "hash/64"), "two different candidates"),
        ((*LABEL, "--questions", "gone.txt"), "gone.txt"),
        ((*LABEL, "--from-log", "docs"), "embassay index"),
        ((*LABEL, "--effect", "nan"), "effect"),
        (("judge", "label", "judged", "hash/64", "no-such-model"), "no-such-model"),
    ],
)
def test_what_cannot_be(place, arguments, said):
    code, out, err = run(*arguments, cwd=place)
    assert code in (1, 2) and out == "" and said in err
