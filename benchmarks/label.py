"""Judging by hand: 30 real questions of 10 pooled results, played by a scripted user at 2 s a key.

The program is the real one, in a process of its own, and what it takes to answer each key is measured. The user's time
is counted, not waited for: a key comes every 2 s, or as soon as the program has answered the one before if that takes
longer. What the program took in all is a line of its own, so that nobody has to believe the sum. The user knows the
answers (`benchmarks/questions`), and presses a key for every result; in a second sitting, x once none that is left is
relevant, as somebody may who sees their titles. Documents are embedded before anybody sits down.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import IO

from benchmarks.common import DATA, MODEL, ROOT, WORK, Row, arguments, at_most, report
from embassay.evaluate.data.places import SHARE, Place

QUESTIONS, SECONDS_A_KEY, MOST_SECONDS = 30, 2.0, 600.0
CANDIDATES = (MODEL, f"{MODEL}@hybrid")
END_OF_RESULT = "q stop"
"""The last words that are printed of a result."""
SHOWN = re.compile(r"Question \d+ of \d+, result \d+ of \d+: (.+)")
TITLES = re.compile(r"^  (\S+#L\d\S*)", re.MULTILINE)
"""The places of a question's results, which are listed when it begins."""
LOAD = (sys.executable, "-m", "embassay.cli.main")


@dataclass(slots=True)
class Played:
    """A sitting: how many keys, and how long the program took in all to answer them."""

    keys: int = 0
    program: float = 0.0
    slowest: float = 0.0
    start: float = 0.0
    seconds: float = 0.0
    """For somebody who presses a key every 2 s, or waits for the program."""


def main() -> None:
    chosen = arguments(__doc__)
    documents = DATA / "docs" / "httpx"
    with TemporaryDirectory(dir=WORK) as place:
        report("label", rows(Path(place), documents, ROOT / "benchmarks" / "questions" / "httpx.jsonl"), chosen.json)


def rows(
    place: Path, documents: Path, questions: Path, *, count: int = QUESTIONS, candidates: tuple[str, ...] = CANDIDATES
) -> list[Row]:
    """Two sittings over the same pools: with x for the rest, and with a key for every result."""
    asked = {row["query"]: row["relevant_docs"] for row in map(json.loads, questions.read_text().splitlines()[:count])}
    (place / "questions.txt").write_text("".join(f"{question}\n" for question in asked))
    for file in documents.rglob("*"):
        if file.is_file():
            copy = place / "docs" / file.relative_to(documents)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(file, copy)
    (place / "docs" / ".embassay").mkdir()
    made = []
    for name, ends in (("every", False), ("x", True)):
        command = [*LOAD, "judge", "new", ".", "--out", f"../{name}", "-n", "0"]
        subprocess.run(command, cwd=place / "docs", check=True, capture_output=True)
        made.append(_play(place, name, asked, candidates, ends=ends))
    whole, short = made
    what = f"{len(asked)} questions of {whole.keys / len(asked):.3g} results"
    return [
        at_most(f"{what}, a key for each, every 2 s", whole.seconds, MOST_SECONDS, "s"),
        Row(f"{what}, x for the rest", short.seconds, None, None, "s", "", None),
        Row("keys, a key for each", whole.keys, None, None, "keys", "", None),
        Row("keys, x for the rest", short.keys, None, None, "keys", "", None),
        Row("the program's time for all keys, a key for each", whole.program, None, None, "s", "", None),
        Row("slowest answer to a key", max(short.slowest, whole.slowest) * 1e3, None, None, "ms", "", None),
        Row("until the first result, documents embedded before", short.start, None, None, "s", "", None),
    ]


def _play(
    place: Path, name: str, asked: Mapping[str, Mapping[str, int]], candidates: tuple[str, ...], *, ends: bool
) -> Played:
    command = [*LOAD, "judge", "label", f"../{name}", *candidates, "--questions", "../questions.txt"]
    played, places, begun = Played(), [""], time.perf_counter()
    with subprocess.Popen(
        command, cwd=place / "docs", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        shown = _read(process.stdout)
        played.start = time.perf_counter() - begun
        while result := SHOWN.search(shown):
            places = TITLES.findall(shown) or places[1:]
            key = _key(
                next(asked[text] for text in asked if text.startswith(result[1].strip())),
                places if ends else places[:1],
            )
            pressed = time.perf_counter()
            process.stdin.write(key)
            process.stdin.flush()
            shown = _read(process.stdout)
            took = time.perf_counter() - pressed
            played.keys += 1
            played.program += took
            played.seconds += max(SECONDS_A_KEY, took)
            played.slowest = max(played.slowest, took)
        assert f"{len(asked)} questions done" in shown, shown
    return played


def _key(relevant: Mapping[str, int], places: list[str]) -> str:
    """The key for the first of `places`; x where none of them answers the question."""
    grades = [max((g for at, g in relevant.items() if _overlap(at, place)), default=0) for place in places]
    return str(grades[0]) if any(grades) or len(places) == 1 else "x"


def _overlap(wanted: str, place: str) -> bool:
    return Place.parse(wanted).overlap(Place.parse(place)) >= SHARE


def _read(stream: IO[str]) -> str:
    """What is printed until the program waits for a key, or ends."""
    printed = []
    for line in stream:
        printed.append(line)
        if line.rstrip().endswith(END_OF_RESULT):
            break
    return "".join(printed)


if __name__ == "__main__":
    main()
