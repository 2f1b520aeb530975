"""How a migration begins: the target is resolved, its generation made, and both are written down in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.embedders.wrap.budget import is_money
from embassay.errors import MigrationState, UsageError
from embassay.sets.migration.destination import resolved
from embassay.sets.migration.switching import tell_of_end
from embassay.sets.state import new_collection

if TYPE_CHECKING:
    from embassay.sets.migration.table import Migration
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a migration is done. They are stored with it, so that whoever resumes it does it in the same way."""

    rate: float = 0.0
    """Chunks a second at most; 0: as fast as the model makes them."""
    max_spend: float | None = None
    """USD that it may spend at most, in all its runs together; the configured cap holds besides."""
    gate: str = ""
    """The judged set by which it is held, as a source's name is kept: relative to the home's project."""
    strict: bool = False
    """Whether a check that passes with a warning counts as one that does not hold."""
    run: str = ""
    """Under what the ledger has what it spends, in all its runs."""

    def __post_init__(self) -> None:
        """Raises UsageError for what is no rate and no sum of money."""
        if not is_money(self.rate):
            raise UsageError(f"a rate of {self.rate!r} chunks a second is none.", remedy=remedy.option("rate", "200/s"))
        if self.max_spend is not None and not is_money(self.max_spend):
            raise UsageError(f"{self.max_spend!r} USD is no sum of money.", remedy=remedy.option("max_spend", 5))

    def to_dict(self) -> dict[str, Any]:
        """As they are stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> JobOptions:
        """The options that `to_dict` made, those of earlier versions included."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


DEFAULT_OPTIONS = JobOptions()


def begin(
    sets: OpenSets,
    name: str,
    target: MigrationTarget,
    options: JobOptions = DEFAULT_OPTIONS,
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
    ended = state.trials.open(name)
    to = resolved(sets, origin, target)
    collection = new_collection()
    store = sets.folder.open_store(to.spec, collection, to.space, create=True)
    try:
        begun = state.moves.begin(
            name, origin.id, collection, to.space, to.spec, to.anchor, options.to_dict(), to.projection
        )
    except BaseException:
        store.drop()
        raise
    finally:
        store.close()
    tell_of_end(sets, ended)
    return begun
