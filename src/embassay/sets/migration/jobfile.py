"""A migration as a file, for CI: what is asked for, and nothing of how far it is, so that it can be run again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from embassay.config.reading import checked, read_yaml
from embassay.sets.migration.target import MigrationTarget


class MigrationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a migration file may say."""

    set: str
    to: str | None = None
    """The model; without one, vectors are derived from those that are stored."""
    precision: str | None = None
    truncate_dim: int | None = None
    pca: int | None = None
    dtype: str | None = None
    rate: str | None = None
    """Most chunks a second: 200/s."""
    max_spend: float | None = None
    """USD at most, in all its runs."""
    gate: str | None = None
    """A judged set, relative to the folder of the file."""
    strict: bool = False
    switch: bool = False
    """Whether it is switched to once it is ready."""
    keep: str = "7d"
    """How long the old generation is kept after that."""

    @property
    def target(self) -> MigrationTarget:
        """Where the set is moved. Raises UsageError for what contradicts itself."""
        return MigrationTarget.of(
            self.to, self.precision, truncate_dim=self.truncate_dim, pca=self.pca, dtype=self.dtype
        )


def read_migration_file(file: Path) -> MigrationFile:
    """Raises ConfigError: unreadable, unknown keys with the nearest known one, or values of the wrong type."""
    return checked(read_yaml(file), MigrationFile, str(file))
