"""What the query log keeps of one search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from embassay import jsontext
from embassay.types import ArmScore

Form = Literal["kept", "hashed", "cut"]
"""Of a logged query: its text, a salted hash of it, or the head of one that is too long to be kept whole."""
Kind = Literal["clicked", "up", "down"]
"""Of feedback: somebody opened a hit, or a thumb went up or down."""


SEPARATOR = "\n"
"""Between the names of sets that were searched together, as the log stores them: no name of a set has one."""


@dataclass(frozen=True, slots=True)
class LoggedHit:
    """One hit of a logged search."""

    rank: int
    set: str
    """The set that it was found in: of a search of several, one of them."""
    document: str
    chunk: str
    """Key of the chunk in its set."""
    lines: tuple[int, int]
    """First and last line, 1-based, inclusive."""
    score: float
    arms: Mapping[str, ArmScore]

    @property
    def place(self) -> str:
        """As judged data names it: ``docs/a.md#L10-40``."""
        return f"{self.document}#L{self.lines[0]}-{self.lines[1]}"

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> LoggedHit:
        """The hit of a row that `embassay.sets.log.new` wrote. Raises ValueError and its kin for anything else."""
        rank, set_name, document, chunk, first, last, score, arms = row
        scores = {str(label): ArmScore(int(at), float(raw)) for label, (at, raw) in arms.items()}
        lines = int(first), int(last)
        return cls(int(rank), str(set_name), str(document), str(chunk), lines, float(score), scores)

    def to_dict(self) -> dict[str, object]:
        """The hit as JSON has it."""
        return {
            "rank": self.rank,
            "set": self.set,
            "document": self.document,
            "chunk": self.chunk,
            "lines": list(self.lines),
            "score": self.score,
            "arms": {label: {"rank": arm.rank, "score": arm.score} for label, arm in self.arms.items()},
        }


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody did with the answer to a query, or thought of it."""

    kind: Kind
    document: str
    """The place of a hit, or a document that was named; empty for a thumb about the answer as a whole."""
    given: float
    """Seconds since 1970."""

    def to_dict(self) -> dict[str, object]:
        """The feedback as JSON has it; ``document`` is null where it is about the answer as a whole."""
        return {"kind": self.kind, "document": self.document or None, "given": self.given}


@dataclass(frozen=True, slots=True)
class LoggedText:
    """What the log keeps of the text of a query."""

    form: Form
    query: str
    """The text, its head or its hash: see `form`."""

    def __str__(self) -> str:
        return f"#{self.query[:12]}" if self.form == "hashed" else self.query


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """One search in the log."""

    id: str
    asked: float
    """Seconds since 1970."""
    sets: tuple[str, ...]
    """That were searched together."""
    space: str
    """Digest of the space that was searched."""
    pipeline: str
    form: Form
    query: str
    """The text, its head or its hash: see `form`."""
    took_ms: float
    hits: Sequence[LoggedHit]
    feedback: Sequence[Feedback] = ()

    @property
    def set(self) -> str:
        """The name of the set that was searched; of several sets the names, with commas between."""
        return ", ".join(self.sets)

    @classmethod
    def from_row(cls, row: Sequence[Any], feedback: Sequence[Feedback]) -> LoggedQuery:
        """The entry of a row of the log. Raises ValueError and its kin for one that no version wrote."""
        id, asked, set_name, space, pipeline, form, query, took_ms, hits = row
        if form not in get_args(Form) or not all(isinstance(x, str) for x in (id, set_name, space, pipeline, query)):
            raise ValueError(f"search {id!r} of the query log is none")
        read = tuple(LoggedHit.from_row(hit) for hit in jsontext.loads(hits))
        return cls(
            id,
            float(asked),
            tuple(set_name.split(SEPARATOR)),
            space,
            pipeline,
            form,
            query,
            float(took_ms),
            read,
            feedback,
        )

    def to_dict(self) -> dict[str, object]:
        """The entry as JSON has it."""
        return {
            "id": self.id,
            "asked": self.asked,
            "set": self.set,
            "sets": list(self.sets),
            "space_digest": self.space,
            "pipeline": self.pipeline,
            "form": self.form,
            "query": self.query,
            "took_ms": self.took_ms,
            "hits": [hit.to_dict() for hit in self.hits],
            "feedback": [given.to_dict() for given in self.feedback],
        }
