"""What a language model has answered for each passage, written down as it comes: an answer is paid for once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from embassay import jsontext
from embassay.errors import HomeNotWritable
from embassay.files import refuse_links


class Journal:
    """A file of JSON lines that only grows. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = threading.Lock()

    def read(self) -> dict[str, list[str]]:
        """Key to the questions that were answered; a line that a kill cut short is passed over.

        Raises HomeNotWritable if the file cannot be read.
        """
        found: dict[str, list[str]] = {}
        for line in self._lines():
            try:
                row = jsontext.loads(line)
                found[str(row["key"])] = [str(question) for question in row["questions"]]
            except (ValueError, LookupError, TypeError):
                continue
        return found

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

    def append(self, key: str, questions: Sequence[str], about: Mapping[str, str]) -> None:
        """Add an answer; `about` says for people what it is an answer to. Raises HomeNotWritable."""
        row = {"key": key, **about, "questions": list(questions)}
        try:
            with self._writing, self.file.open("a", encoding="utf-8", errors="replace") as stream:
                stream.write(jsontext.dumps(row) + "\n")
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
