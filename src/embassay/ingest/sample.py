"""A few texts from all over some files and folders, to tell what they are before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from embassay.ingest.base import SourceFile
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.flow import Loaded, find, read_file
from embassay.ingest.isolation import Isolation

FILES = 16
"""Files that texts are taken from. They are read once more when they are indexed."""
TRIED = 64
"""Files that are opened to find as many."""
RECORDS = 32
"""Documents of one file: one of many records is not read to its end."""
FILE_TEXT = 6_000
"""Characters that a file gives, of all its documents together, so that a large one does not speak for the others."""

_T = TypeVar("_T")


def sample_texts(paths: Iterable[Path], exclude: Exclusions = NOTHING) -> Iterator[str]:
    """Texts of documents under `paths`, of files that lie far apart; source code is passed over.

    What cannot be read gives nothing. Raises UsageError for a path that does not exist.
    """
    files = [found.file for found in find(paths, exclude=exclude) if not found.skip and found.size]
    given = 0
    with Isolation() as isolation:
        for file in islice(_spread(files), TRIED):
            steps = read_file(file, SourceFile(file, file.as_posix()), isolation)
            documents = [step.document for step in islice(steps, RECORDS) if isinstance(step, Loaded)]
            texts = [document.text for document in documents if not document.kind.startswith("code:")]
            yield from (text[: FILE_TEXT // len(texts)] for text in texts)
            given += any(text.strip() for text in texts)
            if given == FILES:
                return


def _spread(items: Sequence[_T]) -> Iterator[_T]:
    """The items, each once: the first one, the middle one, those in the middle of the halves, and so on."""
    step = 1 << max(0, len(items) - 1).bit_length()
    yield from items[:1]
    while step > 1:
        yield from items[step // 2 :: step]
        step //= 2
