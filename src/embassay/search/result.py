"""What a search gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embassay.search.pipeline import Pipeline
from embassay.search.second import Cascaded
from embassay.search.spelling import Correction, read
from embassay.search.trace import Reranking, TraceStep
from embassay.space import Space
from embassay.types import Hit
from embassay.words.analyser import analyser
from embassay.words.languages import DEFAULT


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits of one query, best first, and what made them."""

    query: str
    set: str
    """Its name; of several sets the names, with commas between: `sets` has them one by one."""
    space: Space
    pipeline: Pipeline
    """The one that ran: without the stages that had to be left out."""
    took_ms: float
    hits: Sequence[Hit]
    notices: Sequence[str] = ()
    """What the caller should know: a query cut at the token limit, an arm that could not run."""
    trace: Sequence[TraceStep] = ()
    """What each stage saw, kept and took."""
    language: str = DEFAULT
    """Code of the language that the set's words are told apart by: of use to show which of them were found."""
    answered: bool | None = None
    """False where the best hit is no nearer than texts that have nothing to do with the set: a notice says so then.

    None where nobody knows: no vectors were compared, nothing was found, or the set is too small to tell."""
    id: str = ""
    """By which feedback refers to it. Empty where no event was told of it, so that nothing can have been logged."""
    sets: Sequence[str] = ()
    """The names of the sets that were searched."""
    cascade: Cascaded | None = None
    """How candidates were scored in the space that the set is being moved to, where they were."""
    reranked: Sequence[Reranking] = ()
    """What rerankers did, and what that took."""
    spelling: Sequence[Correction] = ()
    """What words of the query were read as, where that was asked for."""
    query_space: Space | None = None
    """The space of the model that made the vector of the query, where it is not that of the set."""

    @property
    def read_as(self) -> str:
        """The query as it was read: with its slips mended, where that was asked for."""
        return read(self.query, self.spelling)

    @property
    def terms(self) -> int:
        """How many words were looked for, as the language of the set tells them apart; 0 where no arm looked for any.

        Words that say nothing, such as "the", do not count."""
        if all(arm.dense for arm in self.pipeline.arms):
            return 0
        return len(analyser(self.language).query(self.read_as))

    @property
    def mode(self) -> str:
        """``hybrid`` where several arms ran, else the name of the only one."""
        return self.pipeline.mode

    def to_dict(self, *, trace: bool = False) -> dict[str, object]:
        """The result as JSON has it; `trace` adds the pipeline and its trace."""
        plain: dict[str, object] = {
            "query": self.query,
            "set": self.set,
            "sets": list(self.sets),
            "space": str(self.space),
            "space_digest": self.space.digest,
            "query_space": str(self.query_space) if self.query_space else None,
            "mode": self.mode,
            "cascade": self.cascade.to_dict() if self.cascade else None,
            "spelling": [one.to_dict() for one in self.spelling],
            "reranked": [one.to_dict() for one in self.reranked],
            "took_ms": self.took_ms,
            "answered": self.answered,
            "hits": [hit.to_dict() for hit in self.hits],
            "notices": list(self.notices),
        }
        if self.id:
            plain = {"id": self.id, **plain}
        if trace:
            plain |= {"pipeline": str(self.pipeline), "trace": [step.to_dict() for step in self.trace]}
        return plain
