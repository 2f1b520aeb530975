"""How a migration begins: the target is resolved, its generation made, and both are written down in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.errors import MigrationState, UsageError
from embassay.models.reference import without_precision
from embassay.sets.door import anchor_of
from embassay.sets.generations import remembered
from embassay.sets.spec import SetSpec
from embassay.sets.state import new_collection

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.migration.table import Migration
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation


@dataclass(frozen=True, slots=True)
class MigrationTarget:
    """Where a set is to be moved."""

    model: str
    precision: str = "auto"

    @classmethod
    def of(cls, model: str, precision: str | None = None) -> MigrationTarget:
        """A precision that stands in the name of the model, ``minilm@int8``, is the one that is asked for."""
        name, said = without_precision(model)
        if said and precision not in (None, said):
            raise UsageError(f"model {model!r} says precision {said}, and {precision} is asked for as well.")
        return cls(remembered(name), said or precision or "auto")


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a migration is done. They are stored with it, so that whoever resumes it does it in the same way."""

    rate: float = 0.0
    """Chunks a second at most; 0: as fast as the model makes them."""
    max_spend: float | None = None
    """USD that it may spend at most."""

    def to_dict(self) -> dict[str, Any]:
        """As they are stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> JobOptions:
        """The options that `to_dict` made, those of earlier versions included."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


def begin(
    sets: OpenSets,
    name: str,
    target: MigrationTarget,
    options: JobOptions = JobOptions(),
    plan: Mapping[str, object] = MappingProxyType({}),
) -> Migration:
    """A planned migration of set `name`; nothing is embedded yet but canaries.

    Raises SetNotFound, MigrationState where one is under way, UsageError where the set is in that space already,
    ModelError, ProviderError.
    """
    origin, state = sets.live(name), sets.writable_state()
    if (under_way := state.migrations.open(name)) is not None:
        raise MigrationState(
            f"set {name!r} is being migrated already: its migration is {under_way.state}.",
            remedy=remedy.command("migrate", name, status=True, say="Look at it"),
        )
    embedder = sets.model(target.model, target.precision)
    spec = spec_for(origin.spec, target, embedder)
    space = embedder.space
    if space == origin.space:
        raise UsageError(
            f"set {name!r} is in the space {space} already.",
            remedy=remedy.command("relink", name, to=target.model, say="Have another provider of the same space with"),
        )
    anchor = None if embedder.is_trusted else anchor_of(embedder)
    collection = new_collection()
    store = sets.folder.open_store(spec, collection, space, create=True)
    try:
        return state.moves.begin(name, origin.id, collection, space, spec, anchor, options.to_dict(), plan)
    except BaseException:
        store.drop()
        raise
    finally:
        store.close()


def spec_for(spec: SetSpec, target: MigrationTarget, embedder: Embedder) -> SetSpec:
    """What the new generation is made with: as the old one, but for the model and what it takes."""
    return SetSpec(
        model=target.model,
        precision=target.precision,
        chunk_tokens=min(spec.chunk_tokens, embedder.tokens.safe_tokens),
        language=spec.language,
        store=spec.store,
        rules=spec.rules,
    )


def target_of(generation: Generation) -> MigrationTarget:
    """Where a generation that is being built leads."""
    return MigrationTarget(generation.spec.model, generation.spec.precision)
