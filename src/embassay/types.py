"""Values that travel through the whole house: documents, chunks, vectors, hits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from embassay.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from tokenizers import Tokenizer

    from embassay.space import Space

    Vectors = npt.NDArray[np.float32]

Role = Literal["query", "document"]
ROLES: Sequence[Role] = get_args(Role)
Precision = Literal["auto", "f32", "bf16", "int8"]
PRECISIONS: Sequence[Precision] = get_args(Precision)
OnLong = Literal["error", "truncate", "split"]
Scalar = str | int | float | bool
if TYPE_CHECKING:
    Value = Scalar | None | Sequence["Value"] | Mapping[str, "Value"]
else:
    Value = Any  # msgspec reads annotations to send documents between processes, and knows no recursive ones
Metadata = Mapping[str, Value]
"""What is known of a document besides its text, as JSON has it; `embassay.metadata` makes it of whatever is given."""


def texts_in(value: Value) -> Iterator[str]:
    """Every text inside of a value, the names of fields left out. A list or a mapping that stands in several places, or
    inside of itself, is looked through once."""
    stack, seen = [value], set[int]()
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif value and isinstance(value, (dict, list)) and id(value) not in seen:
            seen.add(id(value))
            stack.extend(value.values() if isinstance(value, dict) else value)


def check_role(role: str) -> None:
    """Raises UsageError for a role that there is not."""
    if role not in ROLES:
        raise UsageError(f"role {role!r} is not one of {', '.join(ROLES)}.")


def check_precision(precision: str | None) -> None:
    """Raises UsageError for a precision that there is not; None stands for none that was asked for."""
    if precision is not None and precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not one of {', '.join(PRECISIONS)}.")


class Counts(Protocol):
    """What chunking needs of a model's tokenizer."""

    max_tokens: int

    @property
    def safe_tokens(self) -> int:
        """As many, so counted, surely fit: `max_tokens` where the count is exact."""

    @property
    def identity(self) -> str:
        """Equal for equal tokenizers, on every machine; empty if that cannot be told."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the `tokenizers` package, without truncation and padding."""

    @property
    def special(self) -> int:
        """How many special tokens frame a text."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, before any cut."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What making some vectors took. None: the provider did not say."""

    requests: int = 0
    """Sent over HTTP, retries included."""
    tokens: int | None = 0
    """Billed by the provider; 0 where nothing is billed."""
    usd: float | None = 0.0
    cached: int = 0
    """Texts whose vectors came from the cache."""

    def __add__(self, other: Usage) -> Usage:
        tokens = None if self.tokens is None or other.tokens is None else self.tokens + other.tokens
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Usage(self.requests + other.requests, tokens, usd, self.cached + other.cached)


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What an embedder gives back for n texts. A blank text has the zero vector, which matches nothing."""

    vectors: Vectors
    """float32, shape (n, dimensions)."""
    tokens: Sequence[int]
    """Tokens of each text with its prompt and special tokens, before any cut; an estimate for hosted models."""
    truncated: Sequence[bool]
    """Whether the model saw only the head of the text."""
    space: Space
    role: Role
    precision: str = "f32"
    model: str = ""
    """Who made them: a name of the registry, or ``provider/model``."""
    usage: Usage = NO_USAGE
    split: Collection[int] = ()
    """Positions of texts whose vector is the mean of their parts, though their count did not show it."""
    refused: Mapping[int, str] = field(default_factory=dict)
    """Position to reason of each text that the provider will not take; its row is zero. Empty outside of streams."""

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a model answers, and how long one short query took to be answered, or to fail."""

    ok: bool
    milliseconds: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What whoever hosts a model takes at most; None where nothing is said."""

    inputs: int
    """Texts in one request."""
    tokens: int | None
    """Tokens in one request."""
    at_once: int
    """Requests that are sent at the same time."""
    tokens_per_minute: float | None


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a section of a text begins."""

    at: int
    """Character where the heading starts."""
    level: int
    """1 is the outermost; 0 one that locates (a page) but says nothing of the content."""
    title: str
    end: int = 1 << 62
    """Where its section ends, if that is known (definitions); otherwise the next heading ends it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A source file, or one record of it, as text."""

    id: str
    """Unique in a set: the path, or ``path#record``."""
    path: str
    text: str
    kind: str = "text"
    """How to cut it: ``markdown``, ``text``, ``rst``, or ``code:<language>``."""
    title: str = ""
    metadata: Metadata = field(default_factory=dict)
    headings: Sequence[Heading] = ()
    """Sections that the reader knows better than the text shows; empty: they are found in the text."""
    source_lines: Sequence[int] | None = None
    """For each line of `text` its line in the file (1-based); None when they are the same."""

    @property
    def chars(self) -> int:
        """Characters of all that is kept of it: text, title and values in words."""
        return len(self.text) + len(self.title) + sum(map(len, texts_in(self.metadata)))


@dataclass(frozen=True, slots=True)
class Record:
    """A document that a program hands over, instead of a file."""

    id: str
    """Unique in its set, among files and records."""
    text: str
    title: str = ""
    """What its chunks are embedded under, where it has one."""
    metadata: Metadata = field(default_factory=dict)
    vector: Sequence[float] | Vectors | None = None
    """Its own vector (dimensions,), made elsewhere of its text as a document; None: the model of the set makes it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that fits the model: the unit of retrieval."""

    key: str
    """Derived from the document's id and the indexed text, so that equal input gives equal keys."""
    document: str
    path: str
    section: str
    """Headings above the chunk, outermost first, joined by `` > ``."""
    indexed: str
    """What is embedded and searched: context (title, headings not in the body), newline, body."""
    body_at: int
    """Where the body starts in `indexed`."""
    lines: tuple[int, int]
    """First and last line in the file, 1-based, inclusive."""
    span: tuple[int, int]
    """Character span of the body in the document's text."""
    tokens: int
    truncated: bool = False
    metadata: Metadata = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body without its context: what a person reads."""
        return self.indexed[self.body_at :]


@dataclass(frozen=True, slots=True)
class ArmScore:
    """Where one arm of a search ranked a chunk (1-based), and its raw score there.

    Of vectors that is the cosine, or the dot product in a space that is compared by it; of words it is BM25.
    """

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the passage stands that is shown for a hit: its section, its document, or so many tokens of it."""

    lines: tuple[int, int]
    """First and last line in the file, 1-based, inclusive."""
    span: tuple[int, int]
    """Character span in the document's text."""
    tokens: int
    """Of its chunks, added up, each with the headings that it is embedded under."""
    chunks: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk found. `score` orders the hits of one search; it is not a similarity."""

    rank: int
    score: float
    chunk: Chunk
    arms: Mapping[str, ArmScore]
    before: str = ""
    """What stands before it in the document, where that was asked for: ``before + chunk.text + after`` reads on."""
    after: str = ""
    set: str = ""
    """The set that it was found in."""
    more: Sequence[Hit] = ()
    """Where hits are grouped, other chunks of the same document that were found, best first, ranked from 2."""
    passage: Extent | None = None
    """Where passages are shown, the one that it is a part of: its text is ``before + chunk.text + after``."""

    @property
    def document(self) -> str:
        """The id of the document that it is a part of."""
        return self.chunk.document

    def to_dict(self) -> dict[str, object]:
        """The hit as JSON has it: rank, score, the chunk with where it stands, and each arm's rank and score.

        What stands around it, and other chunks of its document, are there where they were asked for.
        """
        chunk = self.chunk
        plain: dict[str, object] = {
            "rank": self.rank,
            "score": self.score,
            "set": self.set,
            "id": chunk.key,
            "document": chunk.document,
            "path": chunk.path,
            "lines": list(chunk.lines),
            "span": list(chunk.span),
            "section": chunk.section,
            "metadata": dict(chunk.metadata),
            "text": chunk.text,
            "arms": {name: {"rank": arm.rank, "score": arm.score} for name, arm in self.arms.items()},
        }
        if self.before or self.after or self.passage:
            plain |= {"before": self.before, "after": self.after}
        if self.passage:
            plain["passage"] = asdict(self.passage)
        if self.more:
            plain["more"] = [hit.to_dict() for hit in self.more]
        return plain
