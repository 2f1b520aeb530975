"""A folder cut into passages that every model can take whole: the corpus of a judged set made from own documents."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.evaluate.data.places import Place
from embassay.ingest.chunk import Chunker
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.flow import cut_all, documents_of
from embassay.ingest.outline import Outline, outline
from embassay.types import Document, Heading

TOKENS = 180
"""Of a passage, as estimated: with its title below 256, the shortest limit of models in common use."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that every model can take whole."""

    id: str
    """Its place: ``docs/a.md#L10-40``; passages that share their lines are numbered, ``#L10-10.2``."""
    document: Document
    start: int
    end: int
    """Characters in the text of the document."""
    title: str
    """Headings above it, outermost first."""

    @property
    def text(self) -> str:
        """What stands in the document between `start` and `end`."""
        return self.document.text[self.start : self.end]

    @property
    def digest(self) -> str:
        """A hash of title and text as they stand in the document, whatever is taken out of the passage later."""
        return blake2b(f"{self.title}\0{self.text}".encode("utf-8", "replace"), digest_size=8).hexdigest()


class Passages:
    """Every passage of a folder, and where things stand in them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        chunker = Chunker(EstimatedTokens(1 << 20), TOKENS)
        self.of: dict[str, list[Passage]] = {}
        """Document id to its passages, in order."""
        for document, chunks in cut_all(documents, chunker):
            taken: dict[str, int] = defaultdict(int)
            passages = []
            for chunk in chunks:
                place = str(Place(_one_line(document.id), *chunk.lines))
                taken[place] += 1
                name = place if taken[place] == 1 else f"{place}.{taken[place]}"
                passages.append(Passage(name, document, *chunk.span, chunk.section))
            if passages:
                self.of[document.id] = passages

    @cached_property
    def all(self) -> list[Passage]:
        """The passages of all documents, in order."""
        return [passage for passages in self.of.values() for passage in passages]

    @cached_property
    def language(self) -> str:
        """Code of the language of the documents, source code aside."""
        from embassay.words.detection import detect_in

        return detect_in([document.text for document in self.documents if not document.kind.startswith("code:")])

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """Document id to its headings."""
        return {d.id: Outline(d.headings or outline(d.text, d.kind)) for d in self.documents}

    @cached_property
    def is_prose(self) -> bool:
        """Whether most documents are one piece below one title at most, as articles, abstracts and letters are."""
        read = [document for document in self.documents if not document.kind.startswith("code:")]
        whole = [d for d in read if sum(heading.level > 0 for heading in self.outlines[d.id].headings) < 2]
        return 2 * len(whole) > len(read)

    def section(self, document: str, heading: Heading) -> list[Passage]:
        """The passages below a heading, sections inside it included."""
        outline = self.outlines[document]
        return [
            passage
            for passage in self.of.get(document, [])
            if passage.start <= heading.at < passage.end or heading in outline.path(passage.start)
        ]

    def at(self, document: str, character: int) -> Passage | None:
        """The passage of a character; the next one where it stands between two."""
        passages = self.of.get(document, [])
        index = bisect_right([passage.end for passage in passages], character)
        return passages[index] if index < len(passages) else None


def _one_line(name: str) -> str:
    """Judgments stand between tabs, one on each line: names that hold either are written as in addresses."""
    return "".join(f"%{ord(c):02X}" if c in "\t\r\n" else c for c in name)


def read_passages(
    paths: Iterable[Path], name: Callable[[Path], str], leave_out: Path | None = None, exclude: Exclusions = NOTHING
) -> Passages:
    """Read and cut every document under `paths`; `name` says what a file is called in judgments.

    Files that cannot be read are passed over, as an index run would. Raises UsageError for a path that does not exist.
    `leave_out`: a folder whose files are no documents, such as the one that the judged set is written to; what
    `exclude` names is left out as well.
    """
    hidden = leave_out.resolve() if leave_out else None
    skip = lambda file: bool(hidden and file.resolve().is_relative_to(hidden))  # noqa: E731
    return Passages(list(documents_of(paths, name=name, skip=skip, exclude=exclude)))
