"""Files that only grow, a line of JSON at a time, so that a kill loses at most the line that was being written.

What a language model has answered for each passage is written down like this, because an answer is paid for once; and
so is each key of somebody who judges, because nobody judges anything twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from embassay import jsontext
from embassay.errors import HomeNotWritable
from embassay.files import refuse_links


class GrowingFile:
    """JSON objects, one a line. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = threading.Lock()

    def rows(self) -> Iterator[Mapping[str, object]]:
        """Every object in its order; a line that a kill cut short is passed over.

        Raises HomeNotWritable if the file cannot be read.
        """
        for line in self._lines():
            try:
                row = jsontext.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row

    def prepare(self) -> None:
        """Make the file ready to be written to, whatever a kill left at its end. Raises HomeNotWritable."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            refuse_links((self.file,))
            with self.file.open("ab") as stream:
                if stream.tell() and not self.file.read_bytes().endswith(b"\n"):
                    stream.write(b"\n")
        except OSError as error:
            raise HomeNotWritable(f"{self.file} cannot be written: {error.strerror}.") from error

    def append(self, row: Mapping[str, object]) -> None:
        """Add an object, which is on the disk when this returns. Raises HomeNotWritable."""
        try:
            with self._writing, self.file.open("a", encoding="utf-8", errors="replace") as stream:
                stream.write(jsontext.dumps(row) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise HomeNotWritable(f"{self.file} cannot be written: {error.strerror}.") from error

    def _lines(self) -> Iterator[str]:
        try:
            with self.file.open(encoding="utf-8", errors="replace") as stream:
                yield from stream
        except FileNotFoundError:
            return
        except OSError as error:
            raise HomeNotWritable(f"{self.file} cannot be read: {error.strerror}.") from error


class Journal:
    """What a language model has answered for each passage. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self._kept = GrowingFile(file)

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self._kept.file

    def read(self) -> dict[str, list[str]]:
        """Key to the questions that were answered; what is no answer is passed over. Raises HomeNotWritable."""
        found: dict[str, list[str]] = {}
        for row in self._kept.rows():
            key, questions = row.get("key"), row.get("questions")
            if key is not None and isinstance(questions, list):
                found[str(key)] = [str(question) for question in questions]
        return found

    def prepare(self) -> None:
        """Make the file ready to be written to, whatever a kill left at its end. Raises HomeNotWritable."""
        self._kept.prepare()

    def append(self, key: str, questions: Sequence[str], about: Mapping[str, str]) -> None:
        """Add an answer; `about` says for people what it is an answer to. Raises HomeNotWritable."""
        self._kept.append({"key": key, **about, "questions": list(questions)})
