"""What was measured of every scheme, and which one is proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embassay.compress.choosing import Loss, ProposedScheme
from embassay.compress.measuring import CANDIDATES, RECALLED
from embassay.evaluate.data.judged import JudgedSet


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """One scheme."""

    name: str
    bytes: float
    """Of a vector."""
    recall: float
    recall_rescored: float
    metrics: Mapping[str, float]
    """Means over the judged queries, of its own order."""
    rescored: Mapping[str, float]
    """The same where exact vectors order again what it found."""
    loss: Loss
    """Against the stored vectors, on the first metric and all queries."""
    loss_rescored: Loss
    scan_ms: float
    unkept: str
    """Why the store cannot keep it; empty where it can."""
    options: Mapping[str, int | str]
    """Of `migrate`, which makes a generation of it."""
    foremost: bool = False
    """Whether no other one has a greater score on the first metric at no more bytes."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "scheme": self.name,
            "bytes": self.bytes,
            f"recall@{RECALLED}": round(self.recall, 4),
            f"recall@{RECALLED}_rescored": round(self.recall_rescored, 4),
            "metrics": dict(self.metrics),
            "metrics_rescored": dict(self.rescored),
            "loss": self.loss.to_dict(),
            "loss_rescored": self.loss_rescored.to_dict(),
            "scan_ms": round(self.scan_ms, 3),
            "unkept": self.unkept,
            "foremost": self.foremost,
        }


@dataclass(frozen=True, slots=True)
class Compression:
    """What fewer bytes a vector cost on one set."""

    set: str
    generation: str
    """That was live and was measured, by its name."""
    space: str
    """Of its vectors."""
    is_whole: bool
    """Whether they are as the model makes them: nothing was lost before."""
    judged: JudgedSet
    chunks: int
    metrics: tuple[str, ...]
    """The first one decides."""
    max_loss: float
    sure: bool
    rows: Sequence[SchemeRow]
    """First the vectors as they are stored, then the others, the smallest last."""
    proposal: ProposedScheme | None

    @property
    def stored(self) -> SchemeRow:
        """The vectors as they are stored."""
        return self.rows[0]

    @property
    def proposed(self) -> SchemeRow | None:
        """The row of the scheme that is proposed."""
        return next((row for row in self.rows if self.proposal and row.name == self.proposal.scheme), None)

    @property
    def resolves(self) -> float | None:
        """The least loss that the half which is held out shows, of what is proposed, in 4 of 5 cases."""
        return self.proposal.held_out.resolves if self.proposal else None

    @property
    def headline(self) -> str:
        """What it comes to, in few words."""
        return f"{self.proposal.scheme} is proposed" if self.proposal else "Nothing is proposed"

    @property
    def sentence(self) -> str:
        """What to make of it."""
        metric, row, proposal = self.metrics[0], self.proposed, self.proposal
        if row is None or proposal is None:
            return (
                f"Nothing smaller that the store keeps loses at most {self.max_loss:g} {metric} on both halves of the "
                "queries."
            )
        held = proposal.held_out
        share = self.stored.bytes / row.bytes
        told = (
            f"{row.name}: {row.bytes:g} bytes a vector instead of {self.stored.bytes:g}, {share:.1f} times fewer. On "
            f"the {held.queries:,} queries that did not choose it, it loses {held.mean:.4f} {metric} "
            f"({held.low:+.4f} to {held.high:+.4f})."
        )
        if held.resolves > self.max_loss:
            told += (
                f" So few queries show a true loss of {held.resolves:.3f} or more in 4 of 5 cases, and not one of "
                f"{self.max_loss:g}: judge more queries, or allow a greater loss."
            )
        return told

    @property
    def caution(self) -> str:
        """What is easily overlooked; empty where nothing is."""
        if self.is_whole:
            return ""
        return (
            "The vectors of the set are compressed already. What is told here is lost beside what was lost then: "
            "compress one that has the vectors of its model to know both together."
        )

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        proposal, row = self.proposal, self.proposed
        proposed: dict[str, object] | None = None
        if proposal and row:
            proposed = {
                "scheme": proposal.scheme,
                "bytes": row.bytes,
                "chosen": proposal.chosen.to_dict(),
                "held_out": proposal.held_out.to_dict(),
                "refused": list(proposal.refused),
                "migrate": dict(row.options),
            }
        return {
            "set": self.set,
            "generation": self.generation,
            "space": self.space,
            "judged": self.judged.name,
            "digest": self.judged.digest,
            "queries": len(self.judged.queries),
            "chunks": self.chunks,
            "metric": self.metrics[0],
            "max_loss": self.max_loss,
            "sure": self.sure,
            "candidates": CANDIDATES,
            "schemes": [one.to_dict() for one in self.rows],
            "proposed": proposed,
            "sentence": self.sentence,
            "caution": self.caution,
        }
