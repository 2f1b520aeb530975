"""What a migration would take, before anything is spent or made: texts, tokens, money, time and disk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.embedders.speed import speed_of
from embassay.embedders.texts.estimate import ERROR, EstimatedTokens
from embassay.errors import EmbassayError
from embassay.models.reference import with_precision
from embassay.sets.build.deriving import derivation
from embassay.sets.migration.destination import refuse_same
from embassay.sets.migration.evidence.allowance import Allowance
from embassay.stores.dtypes import BYTES

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation

COUNTED = 2_000
"""Chunks whose tokens are counted; those of a larger set are extrapolated by their characters."""
MEASURED = 256
"""Of them, those that the speed is measured on at most."""
WRITE_SECONDS = 0.00025
"""CPU seconds for a row beside its embedding: read, compared, written and indexed; 12,000 rows took 2.7 s."""
PER_WRITE = 1_000
"""Chunks that the price of a kept generation is told for."""


@dataclass(frozen=True, slots=True)
class KeptCost:
    """What it takes to write `PER_WRITE` chunks to the generation that is kept after a switch as well."""

    usd: float | None
    seconds: float | None
    """None where its model cannot be opened now: what is written is found there by words only until it can."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {"chunks": PER_WRITE, "usd": _rounded(self.usd), "seconds": _rounded(self.seconds)}


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """A migration that was not begun."""

    set: str
    model: str
    space: str
    """Where it leads; empty where that is known only once a first text was sent."""
    documents: int
    chunks: int
    derived: bool
    """Whether the vectors are made of those that are stored, so that nothing is embedded but for verification."""
    tokens: int
    """Of all chunks, with prompts, as the new model counts them; 0 where they are derived."""
    token_error: float
    """Share by which the tokens may be off; 0 where the model's own tokenizer counted."""
    truncated: int
    """Chunks of which the new model would read only the head."""
    verification_texts: int
    """Texts that are embedded at most to prove the new generation, besides."""
    usd: float | None
    """With those of verification; None where no price is known."""
    seconds: float | None
    cpu_seconds: float | None
    """Of all cores together; None for a hosted model."""
    speed: str
    """Where the time comes from."""
    bytes: int | None
    """On disk, for the new generation beside the old one."""
    kept: KeptCost

    def to_dict(self) -> dict[str, object]:
        """The plan as JSON has it, and as it is stored with the migration."""
        plain = (
            "set", "model", "space", "documents", "chunks", "derived", "tokens", "token_error", "truncated",
            "verification_texts", "speed", "bytes",
        )  # fmt: skip
        rounded = {name: _rounded(getattr(self, name)) for name in ("usd", "seconds", "cpu_seconds")}
        said = {name: getattr(self, name) for name in plain}
        return said | rounded | {"kept": self.kept.to_dict()}


@dataclass(frozen=True, slots=True)
class _Sample:
    """Texts from all over a set, and what they are a part of."""

    texts: Sequence[str]
    rows: int
    chars: int
    """Of all rows."""

    @property
    def times(self) -> float:
        """How many times the sample the whole set is."""
        return self.chars / max(1, sum(map(len, self.texts)))


def plan(sets: OpenSets, name: str, target: MigrationTarget) -> MigrationPlan:
    """What it would take to move set `name` to `target`. Nothing is sent to a hosted model, and nothing is made.

    Raises HomeNotFound, SetNotFound, StoreError, UsageError for a target that contradicts itself, ModelError.
    """
    origin = sets.live(name)
    sample = _sample(sets, origin)
    reference = with_precision(target.model_for(origin.spec), target.precision or origin.spec.precision)
    embedder = sets.models.bare(reference)
    try:
        return _planned(sets, origin, target, reference, embedder, sample)
    finally:
        embedder.close()


def _planned(
    sets: OpenSets,
    origin: Generation,
    target: MigrationTarget,
    reference: str,
    embedder: Embedder,
    sample: _Sample,
) -> MigrationPlan:
    derived = bool(target.pca)
    if not derived and not embedder.unmeasured:
        refuse_same(origin, embedder.space, target.dtype or origin.spec.dtype, embedder.name)
        derived = derivation(origin.space, embedder.space, None) is not None
    of_sample = _tokens(embedder, sample.texts)
    mean = sum(of_sample) / max(1, len(of_sample))
    tokens = 0 if derived else round(sum(of_sample) * sample.times)
    allowance = Allowance(sample.rows)
    proving = min(allowance.total, sample.rows + allowance.questions)
    billed, texts = tokens + proving * mean, (0 if derived else sample.rows) + proving
    speed = speed_of(embedder, sample.texts[:MEASURED])
    seconds, writing = speed.seconds(texts, billed), sample.rows * WRITE_SECONDS
    limit = embedder.tokens.max_tokens
    dimensions = _dimensions(embedder, target)
    totals = sets.state.totals(origin)
    return MigrationPlan(
        set=origin.set_name,
        model=reference,
        space="" if embedder.unmeasured else str(embedder.space),
        documents=totals.documents,
        chunks=sample.rows,
        derived=derived,
        tokens=tokens,
        token_error=ERROR if isinstance(embedder.tokens, EstimatedTokens) else 0.0,
        truncated=0 if derived else round(sum(n > limit for n in of_sample) * sample.rows / max(1, len(of_sample))),
        verification_texts=proving,
        usd=None if embedder.price is None else billed * embedder.price / 1e6,
        seconds=None if seconds is None else seconds + writing,
        cpu_seconds=None if embedder.remote or seconds is None else seconds * speed.cpu_share + writing,
        speed=speed.how,
        bytes=None if dimensions is None else _bytes(sets, origin, sample.rows, dimensions, target),
        kept=_upkeep(sets, origin, sample),
    )


def _sample(sets: OpenSets, origin: Generation) -> _Sample:
    """Every text has the same chance to be in it (reservoir sampling), and the same set gives the same sample."""
    chance, rows, chars = random.Random(0), 0, 0
    texts: list[str] = []
    with closing(sets.folder.store(origin)) as store, store.snapshot() as version:
        for chunks, _ in version.scan(()):
            for chunk in chunks:
                rows, chars = rows + 1, chars + len(chunk.indexed)
                if len(texts) < COUNTED:
                    texts.append(chunk.indexed)
                elif (at := chance.randrange(rows)) < COUNTED:
                    texts[at] = chunk.indexed
    chance.shuffle(texts)
    return _Sample(texts, rows, chars)


def _tokens(embedder: Embedder, texts: Sequence[str]) -> list[int]:
    prompt = embedder.prompt("document")
    extra = max(0, embedder.tokens.count([prompt])[0] - embedder.tokens.special) if prompt else 0
    return [count + extra for count in embedder.tokens.count(texts)] if texts else []


def _dimensions(embedder: Embedder, target: MigrationTarget) -> int | None:
    if target.pca:
        return target.pca
    return None if embedder.unmeasured else embedder.space.dimensions


def _bytes(sets: OpenSets, origin: Generation, rows: int, dimensions: int, target: MigrationTarget) -> int:
    """What the live generation takes, with other vectors in it."""
    with closing(sets.folder.store(origin)) as store, store.snapshot() as version:
        now = version.stats().bytes
    old = BYTES[origin.spec.dtype] * origin.space.dimensions
    new = BYTES[target.dtype or origin.spec.dtype] * dimensions
    return max(0, now + rows * (new - old))


def _upkeep(sets: OpenSets, origin: Generation, sample: _Sample) -> KeptCost:
    texts = sample.texts[:32]
    with suppress(EmbassayError):
        embedder = sets.models.bare(with_precision(origin.spec.model, origin.spec.precision))
        with closing(embedder):
            tokens = PER_WRITE * sum(_tokens(embedder, texts)) / max(1, len(texts))
            usd = None if embedder.price is None else tokens * embedder.price / 1e6
            return KeptCost(usd, speed_of(embedder, texts, 1.0).seconds(PER_WRITE, tokens))
    return KeptCost(None, None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
