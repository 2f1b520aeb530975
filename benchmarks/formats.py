"""What is found of the words that files of each format show, and whether all that is not found is told.

    python -m benchmarks.formats [--pandoc CHECKOUT] [--files 20]

Two kinds of files: those of the test suite of pandoc, whose own parser says which words they hold (without a checkout,
`git clone --depth 1 https://github.com/jgm/pandoc`, these rows are left out), and made ones, for each reader in turn,
some of them damaged. Words that are missing of a file count as lost only where no reason was given for it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.common import ROOT, WORK, Row, at_least, at_most, report
from benchmarks.format_samples import MAKERS, Maker
from benchmarks.format_samples.words import Words, words_of
from embassay.ingest.base import SourceFile
from embassay.ingest.flow import Loaded, NoText, Omitted, Unreadable, read_file
from embassay.ingest.isolation import Isolation

PANDOC_BARS = {"docx": 0.99, "epub": 0.97, "rtf": 0.97, "odt": 0.98, "pptx": 0.99}
"""Shares of the words, by suffix."""
SOUND_BARS = {"notebook": 0.99, "html": 0.99}
"""Shares of the words of sound files that are made, by reader."""
SOUND_FILES = 50
FOUND = 0.99
"""Share of the words of files for which no reason was given."""
_STRING = re.compile(r'Str\s*"((?:[^"\\]|\\.)*)"')
_CODE = re.compile(r"\\(\d+)(\\&)?")
_REASON = re.compile(r"`([^`]+)`")


@dataclass
class Tally:
    """What came of some files."""

    files: int = 0
    words: int = 0
    found: int = 0
    listed: Counter[str] = field(default_factory=Counter)
    """Reasons that were given, with how many files."""
    alarms: list[str] = field(default_factory=list)
    """Whole files for which a reason was given all the same."""
    tracebacks: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.found / self.words if self.words else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pandoc", type=Path, default=WORK / "pandoc", help="a checkout of jgm/pandoc")
    parser.add_argument("--files", type=int, default=20, help="made files of each reader")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Isolation() as isolation:
        rows = [*pandoc_rows(chosen.pandoc, isolation), *sound_rows(Path(folder), isolation)]
        tally = made_files(Path(folder), isolation, chosen.files)
    for line in (*tally.tracebacks, *tally.alarms, *tally.losses):
        print(line, file=sys.stderr)
    report("formats", [*rows, *made_rows(tally)], chosen.json)


def pandoc_rows(checkout: Path, isolation: Isolation) -> Iterator[Row]:
    """A row for each format of pandoc's tests."""
    if not (checkout / "test").is_dir():
        print(f"left out: needs a checkout of jgm/pandoc at {checkout} (or --pandoc)", file=sys.stderr)
        return
    for suffix, bar in PANDOC_BARS.items():
        tally = Tally()
        for file, expected in pandoc_files(checkout / "test", suffix):
            count(tally, file.name, expected, outcome(file, isolation), all_count=True)
        what = f"words in {tally.files} {suffix} files of pandoc, of {tally.words:,}"
        yield at_least(what, tally.share, bar)
        for line in tally.losses:
            print(line, file=sys.stderr)


def pandoc_files(tests: Path, suffix: str) -> Iterator[tuple[Path, set[str]]]:
    """Each file beside which the suite says what is in it, with the words of that."""
    for file in sorted(tests.rglob(f"*.{suffix}")):
        beside = (file.with_suffix(".native"), file.parent.parent / "native" / f"{file.stem}.native")
        native = next((each for each in beside if each.exists()), None)
        if native is None:
            continue
        text = _CODE.sub(lambda code: chr(int(code[1])), native.read_text("utf-8", "replace"))
        if expected := words_of(" ".join(_STRING.findall(text))):
            yield file, expected


def sound_rows(folder: Path, isolation: Isolation) -> Iterator[Row]:
    """Files that are whole, of which everything has to be found."""
    for reader, bar in SOUND_BARS.items():
        tally = Tally()
        for at in range(SOUND_FILES):
            words = Words(f"sound {reader} {at}")
            name, content = MAKERS[reader](words)
            (folder / name).write_bytes(content)
            count(tally, f"{reader} {at}", words.seen, outcome(folder / name, isolation), all_count=True)
        yield at_least(f"words in {tally.files} made files: {reader}, of {tally.words:,}", tally.share, bar)
        for line in tally.losses:
            print(line, file=sys.stderr)


def made_files(folder: Path, isolation: Isolation, count_of_each: int) -> Tally:
    """So many files for each reader, every fifth of them damaged."""
    tally = Tally()
    for reader, maker in MAKERS.items():
        for at in range(count_of_each):
            name, content, seen = made_file(maker, reader, at)
            (folder / name).write_bytes(content)
            what, read = f"{reader} {at} ({name})", outcome(folder / name, isolation)
            count(tally, what, seen, read)
            if read.reasons and not is_damaged(at):
                tally.alarms.append(f"{what}: {read.reasons[0]}")
    return tally


def made_file(maker: Maker, reader: str, at: int) -> tuple[str, bytes, set[str]]:
    """Name, content, and the words that can be seen; of a damaged file those that still stand there as they are."""
    words = Words(f"{reader} {at}")
    name, content = maker(words)
    if not is_damaged(at):
        return name, content, words.seen
    rng, third = words.rng, len(content) // 3
    where = rng.randrange(third, 2 * third + 1)
    damaged = (
        content[:where],
        content[:where] + rng.randbytes(40) + content[where + 40 :],
        content[:where] + content[where + 40 :],
        b"\x89PNG\r\n\x1a\n\0\0" + rng.randbytes(400),
    )[(at // 5) % 4]
    shown = words_of(damaged.decode("utf-8", "ignore"))
    return name, damaged, words.seen & shown


def is_damaged(at: int) -> bool:
    """Whether the made file with this number is: every fifth of a reader."""
    return at % 5 == 4


@dataclass(frozen=True)
class Outcome:
    """What reading a file gave."""

    words: set[str]
    reasons: Sequence[str]
    traceback: str = ""


def outcome(file: Path, isolation: Isolation) -> Outcome:
    """Read a file as an index run does."""
    words: set[str] = set()
    reasons: list[str] = []
    try:
        for step in read_file(file.name, SourceFile(file, file.name), isolation):
            match step:
                case Loaded(_, document):
                    said = (document.title, document.text, *map(str, document.metadata.values()), document.id)
                    words |= words_of(" ".join(said))
                case Unreadable(_, error):
                    reasons.append(error.message)
                case NoText(_, reason):
                    reasons.append(reason)
                case Omitted(_, part):
                    reasons.append(part.reason)
    except Exception as error:
        return Outcome(words, reasons, f"{file.name}: {type(error).__name__}: {str(error)[:200]}")
    return Outcome(words, reasons)


def count(tally: Tally, what: str, expected: set[str], read: Outcome, *, all_count: bool = False) -> None:
    """Add a file. Words of one for which a reason was given count only where `all_count`."""
    tally.files += 1
    tally.listed.update(set(read.reasons))
    if read.traceback:
        tally.tracebacks.append(f"{what}: {read.traceback}")
    if read.reasons and not all_count:
        return
    lost = expected - read.words
    tally.words += len(expected)
    tally.found += len(expected) - len(lost)
    if lost:
        tally.losses.append(f"{what}: {len(lost)} of {len(expected)} words lost: {', '.join(sorted(lost)[:6])}")


def made_rows(tally: Tally) -> Iterator[Row]:
    """The figures of the made files."""
    known = documented_reasons()
    unknown = sorted(reason for reason in tally.listed if not any(part in reason for part in known))
    for reason in unknown:
        print(f"a reason that docs/formats.md does not name: {reason}", file=sys.stderr)
    yield at_most(f"tracebacks, of {tally.files} made files of {len(MAKERS)} readers", len(tally.tracebacks), 0)
    yield at_least(f"words found in files without a reason, of {tally.words:,}", tally.share, FOUND)
    yield at_most("whole files that are listed with a reason", len(tally.alarms), 0)
    yield at_most("kinds of reasons that docs/formats.md does not name", len(unknown), 0)
    listed = tally.listed.total()
    yield Row("files that are listed with a reason", listed, None, None, "files", "reported", None)


def documented_reasons() -> list[str]:
    """What the reasons say, as the page about formats has it."""
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    rows = page.partition("| the reason says |")[2].split("\n")[2:]
    return [part for row in rows if row.startswith("|") for part in _REASON.findall(row.split("|")[1])]


if __name__ == "__main__":
    main()
